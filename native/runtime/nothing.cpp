// What a variant is made of that this compiler cannot make; see CMakeLists.txt.
