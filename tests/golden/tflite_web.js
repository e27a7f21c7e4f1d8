/*
 * Runs models in TensorFlow Lite itself, as npm ships it for browsers.
 *
 * usage: node tflite_web.js tfjs|litert WASM.js WASM.wasm < JOBS
 *
 * A job is a line {"model": FILE, "inputs": [FILE...], "output": FILE}; the output file gets all
 * output tensors one after the other. A line is answered by {} or {"error": TEXT}.
 */
const fs = require('fs');
const vm = require('vm');

const [kind, script, wasm] = process.argv.slice(2);
const list = vector => Array.from({length: vector.size()}, (_, i) => vector.get(i));
const bytesOf = view => Buffer.from(view.buffer, view.byteOffset, view.byteLength);

function place(module, data) {
  const at = module._malloc(data.length);
  module.HEAPU8.set(data, at);
  return at;
}

function check(bytes, wanted) {
  if (bytes !== wanted) throw new Error(`an input of ${wanted} bytes instead of ${bytes}`);
}

function runTfjs(module, job) {
  const model = fs.readFileSync(job.model);
  const at = place(module, model);
  const made = module.TFLiteWebModelRunner.CreateFromBufferAndOptions(
      at, model.length, {numThreads: 1, enableProfiling: false, maxProfilingBufferEntries: 0});
  if (!made.ok()) throw new Error(made.errorMessage());
  const runner = made.value();
  list(runner.GetInputs()).forEach((tensor, i) => {
    const data = fs.readFileSync(job.inputs[i]);
    check(tensor.data().byteLength, data.length);
    bytesOf(tensor.data()).set(data);
  });
  if (!runner.Infer()) throw new Error('the inference failed');
  const outputs = list(runner.GetOutputs()).map(tensor => Buffer.from(bytesOf(tensor.data())));
  runner.delete();
  module._free(at);
  return outputs;
}

async function runLitert(module, job) {
  module.environment ??= module.LiteRtEnvironment.create(null);
  const env = module.environment;
  const model = fs.readFileSync(job.model);
  const at = place(module, model);
  const loaded = module.loadModel(env, at, model.length);
  const compiled = await module.compileModel(
      env, loaded, {environment: {liteRtEnvironment: env}, accelerator: 'wasm',
                    accelerators: ['wasm'], cpuOptions: {numThreads: 1}, gpuOptions: {},
                    webNNOptions: {}});
  const inputs = job.inputs.map((name, i) => {
    const type = loaded.getInputTensorType(0, i);
    const data = fs.readFileSync(name);
    check(type.bytes(), data.length);
    const buffer = module.LiteRtTensorBuffer.createManaged(
        env, module.LiteRtTensorBufferType.HOST_MEMORY, type, data.length);
    module.HEAPU8.set(data, buffer.lock(module.LiteRtTensorBufferLockMode.WRITE));
    buffer.unlock();
    return buffer;
  });
  const outputs = (await compiled.run(0, inputs)).map(buffer => {
    const from = buffer.lock(module.LiteRtTensorBufferLockMode.READ);
    const data = Buffer.from(module.HEAPU8.slice(from, from + buffer.packedSize()));
    buffer.unlock();
    return data;
  });
  compiled.delete();
  loaded.delete();
  module._free(at);
  return outputs;
}

async function answer(module, line) {
  const job = JSON.parse(line);
  try {
    const outputs = await (kind === 'tfjs' ? runTfjs : runLitert)(module, job);
    fs.writeFileSync(job.output, Buffer.concat(outputs));
    return {};
  } catch (e) {
    return {error: String(e && e.message || e)};
  }
}

async function main() {
  globalThis.require = require;  // the scripts look for them when they are not in a browser
  globalThis.__dirname = __dirname;
  const factory = kind === 'tfjs' ? 'tflite_web_api_ModuleFactory' : 'ModuleFactory';
  const make = vm.runInThisContext(`${fs.readFileSync(script, 'utf8')};${factory}`);
  const quiet = () => {};
  const module = await make({wasmBinary: fs.readFileSync(wasm), print: quiet, printErr: quiet});
  for (const line of fs.readFileSync(0, 'utf8').split('\n').filter(text => text))
    console.log(JSON.stringify(await answer(module, line)));
}

main();
