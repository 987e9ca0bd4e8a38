// llama.cpp's log.
#ifndef MURMUR_LOG_H
#define MURMUR_LOG_H

#include "murmur_shim.h"

namespace murmur {

// Puts our handler in the place of llama.cpp's. Once.
void install_log_handler();

// The quantizer reports progress nowhere but in its log: "[   3/ 291] blk.0.attn_k.weight …", on the thread that called it.
// While this thread has one of these, it is told.
extern thread_local murmur_quantize_progress quantize_progress;

}  // namespace murmur

#endif
