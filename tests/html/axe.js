// Accessibility of pages by axe in headless Chromium: light and dark, desktop and phone, everything
// unfolded. Also: one request only (the page itself) and nothing wider than the screen.
// usage: node axe.js PAGE... ; needs axe-core and puppeteer-core in NODE_PATH, and chromium.
"use strict";
const fs = require("fs");
const os = require("os");
const path = require("path");
const puppeteer = require("puppeteer-core");
const axe = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
               "--disable-background-networking", "--disable-component-update", "--disable-sync"];

async function check(browser, file, scheme, width)
{
    const page = await browser.newPage();
    const requests = [];
    let problems = 0;

    await page.setBypassCSP(true); // for axe itself
    await page.setViewport({ width, height: 900 });
    await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
    page.on("request", r => requests.push(r.url()));
    await page.goto("file://" + path.resolve(file));
    await page.evaluate(
        () => document.querySelectorAll("details").forEach(d => { d.open = true; }));
    await page.evaluate(axe);
    const result = await page.evaluate(() => axe.run());
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    for (const v of result.violations) {
        problems++;
        console.log(`${file}: ${v.id} (${v.impact}), ${v.nodes.length} times: ${v.nodes[0].html}`);
    }
    if (requests.length !== 1 || wide > width) {
        problems++;
        console.log(`${file}: ${requests.length} requests, ${wide} wide on ${width}`);
    }
    await page.close();
    console.log(`${path.basename(file)} ${scheme} ${width}: ${result.passes.length} rules hold`);
    return problems;
}

async function main()
{
    const profile = fs.mkdtempSync(path.join(os.tmpdir(), "axe-"));
    const browser = await puppeteer.launch({ executablePath: process.env.CHROMIUM, args: flags,
                                             userDataDir: profile });
    let problems = 0;

    for (const file of process.argv.slice(2)) {
        for (const scheme of ["light", "dark"]) {
            for (const width of [1280, 400])
                problems += await check(browser, file, scheme, width);
        }
    }
    await browser.close();
    fs.rmSync(profile, { recursive: true });
    return problems;
}

main().then(problems => process.exit(problems === 0 ? 0 : 1),
            error => { console.log(error); process.exit(1); });
