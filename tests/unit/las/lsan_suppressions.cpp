/// LASzip 3.5.0 itself leaks some 150 bytes for each reader of items of version 4 (rare files, such as loaders.gl__pdrf7-v4-1.4.laz).
/// Only allocations made inside its item decoders are excused: a LASzip reader that we forgot to destroy would still be reported.
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() { return "leak:LASreadItemCompressed_\n"; }
