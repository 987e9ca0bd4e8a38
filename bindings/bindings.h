// What jextract reads. The names that it keeps are listed in symbols.txt.
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>
#include "ggml-backend.h"
#include "llama.h"
#include "murmur_shim.h"
