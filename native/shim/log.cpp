#include "log.h"

#include "calls.h"

#include <atomic>
#include <cstring>
#include <deque>
#include <mutex>

namespace murmur {

thread_local murmur_quantize_progress quantize_progress = nullptr;

namespace {

struct log_line {
    int32_t     level;
    std::string text;
};

// Java takes the lines when it is ready to: llama.cpp logs from any of its threads, in pieces of lines, in the
// middle of calls, where an upcall would have to attach foreign threads to the JVM.
struct log_buffer {
    static constexpr size_t max_lines = 4096;
    std::mutex              mutex;
    std::deque<log_line>    lines;
    log_line                partial{ GGML_LOG_LEVEL_INFO, "" };
    std::atomic<int32_t>    threshold{ GGML_LOG_LEVEL_WARN };

    void append(ggml_log_level level, const char * text) {
        std::lock_guard<std::mutex> lock(mutex);
        if (level != GGML_LOG_LEVEL_CONT) {
            flush();
            partial.level = level;
        }
        for (const char * end; (end = strchr(text, '\n')) != nullptr; text = end + 1) {
            partial.text.append(text, end);
            flush();
        }
        partial.text.append(text);
    }

    void flush() {
        // Dots are how llama.cpp draws load progress.
        const bool blank = partial.text.find_first_not_of(" .\r\t") == std::string::npos;
        if (!blank && partial.level >= threshold) {
            if (lines.size() == max_lines) {
                lines.pop_front();
            }
            lines.push_back(partial);
        }
        partial.text.clear();
    }
};

log_buffer & logs() {
    // Never destroyed: llama.cpp's threads may log while the process exits.
    static log_buffer * buffer = new log_buffer;
    return *buffer;
}

void report_quantize_progress(const char * text) {
    int32_t tensor = 0;
    int32_t total  = 0;
    if (sscanf(text, "[%d/%d]", &tensor, &total) == 2 && !quantize_progress(tensor - 1, total)) {
        throw std::runtime_error("cancelled");
    }
}

// The data of our handler. llama.cpp's own has none: data means that another copy of this library, which another class loader has
// loaded before, had set its handler, and lines that belong to its calls go there.
int               log_mark      = 0;
ggml_log_callback other_on_log  = nullptr;
void *            other_log_data = nullptr;

void on_log(ggml_log_level level, const char * text, void *) {
    if (!in_call && other_on_log) {
        other_on_log(level, text, other_log_data);
        return;
    }
    if (quantize_progress) {
        report_quantize_progress(text);
    }
    try {
        logs().append(level, text);
    } catch (...) {
        // A lost log line is no reason to end the process.
    }
}

}  // namespace

void install_log_handler() {
    ggml_log_callback callback = nullptr;
    void *            data     = nullptr;
    llama_log_get(&callback, &data);
    if (data) {
        other_on_log   = callback;
        other_log_data = data;
    }
    llama_log_set(on_log, &log_mark);
}

std::string kept_error(const char * word) {
    log_buffer &                buffer = logs();
    std::lock_guard<std::mutex> lock(buffer.mutex);
    std::string                 found;
    for (const log_line & line : buffer.lines) {
        if (line.level >= GGML_LOG_LEVEL_ERROR && line.text.find(word) != std::string::npos) {
            found = line.text;
        }
    }
    return found;
}

}  // namespace murmur

using namespace murmur;

void murmur_log_level(int32_t level) {
    logs().threshold = level;
}

int32_t murmur_log_take(char * line, size_t line_size) {
    log_buffer &                buffer = logs();
    std::lock_guard<std::mutex> lock(buffer.mutex);
    if (buffer.lines.empty()) {
        return 0;
    }
    const int32_t level = buffer.lines.front().level;
    set_error(line, line_size, buffer.lines.front().text.c_str());
    buffer.lines.pop_front();
    return level;
}
