"""Turn text files into one C array of struct embedded_file (harness/base/embed.h).
usage: embed.py ARRAY OUT FILE...
"""
import os
import sys

array, out, *files = sys.argv[1:]
with open(out, "w") as f:
    f.write('#include "harness/base/embed.h"\n\n')
    f.write(f"extern const struct embedded_file {array}[];\nextern const size_t {array}_count;\n\n")
    for i, name in enumerate(files):
        with open(name, "rb") as text:
            data = text.read() + b"\0"
        rows = [data[at:at + 24] for at in range(0, len(data), 24)]
        f.write(f"static const char text_{i}[] = {{\n")
        f.writelines("    " + "".join(f"{byte}," for byte in row) + "\n" for row in rows)
        f.write("};\n\n")
    f.write(f"const struct embedded_file {array}[] = {{\n")
    for i, name in enumerate(files):
        f.write(f'    {{"{os.path.basename(name)}", text_{i}, sizeof(text_{i}) - 1}},\n')
    f.write(f"}};\nconst size_t {array}_count = {len(files)};\n")
