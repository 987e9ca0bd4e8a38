// llama.cpp's log.
#ifndef MURMUR_LOG_H
#define MURMUR_LOG_H

#include "murmur_shim.h"

#include <string>

namespace murmur {

// Makes llama.cpp call our handler. To be called once.
void install_log_handler();

// The last error among the lines that are kept which holds a word; empty if there is none. It stays kept.
std::string kept_error(const char * word);

// What this thread's log lines of the form "[   3/ 291] blk.0.attn_k.weight …" are reported to, if not null: llama.cpp's quantizer
// reports its progress in the log alone, on the thread that called it.
extern thread_local murmur_quantize_progress quantize_progress;

}  // namespace murmur

#endif
