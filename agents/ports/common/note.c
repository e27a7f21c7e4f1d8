/*
 * Where this image came from, as an ELF note that costs the target nothing: name "TINYRIG", type 1,
 * lines of key=value. The words come from the compiler and from the command line it was given.
 */
#define LINE(key, value) ".ascii \"" key "=" value "\\n\"\n"

__asm__(".pushsection .note.tinyrig, \"\", %note\n"
        ".balign 4\n"
        ".long 8, tinyrig_note_end - tinyrig_note_text, 1\n"
        ".asciz \"TINYRIG\"\n"
        "tinyrig_note_text:\n" /* clang-format off */
        LINE("board", BUILD_BOARD)
        LINE("arch", BUILD_ARCH)
        LINE("version", TINYRIG_VERSION)
        LINE("compiler", BUILD_COMPILER " " __VERSION__)
        LINE("flags", BUILD_FLAGS)
        LINE("fast_flags", BUILD_FAST_FLAGS)
        "tinyrig_note_end:\n" /* clang-format on */
                                                     ".balign 4\n"
                                                     ".popsection\n");
