# Writes OUT: for each Lua file `const char script_NAME[]`, its text as bytes.
file(WRITE ${OUT}.new "#include \"windows/scripts.h\"\n")
foreach(FILE ${FILES})
    get_filename_component(NAME ${FILE} NAME_WE)
    file(READ ${FILE} HEX HEX)
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," BYTES "${HEX}")
    file(APPEND ${OUT}.new "const char script_${NAME}[] = {${BYTES}0};\n")
endforeach()
file(RENAME ${OUT}.new ${OUT})
