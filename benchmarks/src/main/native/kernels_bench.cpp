// Products and attention apart: graphs of one kind of operation on ggml's CPU backend, with native/kernels and without,
// beside what the processor's own instruction reaches. Prints two tables in Markdown. native/tools.sh builds it.
//
// Whether the kernels compute is decided once a process. So there is one with them and one without, and they take turns.
#include "ggml-alloc.h"
#include "ggml-backend.h"
#include "ggml.h"
#include "murmur_shim.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>
#include <sstream>
#include <string>
#include <vector>

namespace {

constexpr const char * usage =
    "usage: murmur-kernels-bench [--types q8_0,bf16,…] [--shapes 2048x5632,…] [--rows 1,512,…] [--threads 1,2]\n"
    "                            [--heads 32x4x64,…] [--cells 512,…] [--queries 512,…] [--cache f16,…] [--turns 3] [--turn "
    "0.1]\n"
    "Shapes are K x N, heads are heads x key/value heads x head size; an empty list leaves that part out.\n";

// Weights are more than the caches hold, as those of a whole model are.
constexpr size_t weights_size = size_t(96) << 20;

[[noreturn]] void fail(const std::string & what) {
    fprintf(stderr, "murmur-kernels-bench: %s\n", what.c_str());
    exit(1);
}

std::vector<std::string> split(const std::string & text, char by) {
    std::vector<std::string> parts;
    std::istringstream       in(text);
    for (std::string part; std::getline(in, part, by);) {
        parts.push_back(part);
    }
    return parts;
}

std::vector<int64_t> numbers(const std::string & text, char by) {
    std::vector<int64_t> values;
    for (const std::string & part : split(text, by)) {
        values.push_back(std::stoll(part));
    }
    return values;
}

ggml_type type_of(const std::string & name) {
    for (int type = 0; type < GGML_TYPE_COUNT; type++) {
        const char * known = ggml_type_name(static_cast<ggml_type>(type));
        if (known && strcasecmp(known, name.c_str()) == 0) {
            return static_cast<ggml_type>(type);
        }
    }
    fail("no type '" + name + "'");
}

// ---- what is measured ----

struct task {
    bool                 attention;
    ggml_type            type;   // of the weights, or of the cache
    std::vector<int64_t> shape;  // K, N; or heads, heads of keys and values, head size
    int64_t              cells;
    int64_t              rows;
    int                  threads;

    // Multiplications and additions. Attention looks at what the mask leaves: the rows are the last of the cells.
    double operations() const {
        const double m = double(rows);
        return attention ? 4.0 * double(shape[0] * shape[2]) * (m * double(cells) - m * (m - 1) / 2)
                         : 2.0 * double(shape[0] * shape[1]) * m;
    }

    std::string name() const {
        std::string text;
        for (int64_t part : shape) {
            text += (text.empty() ? "" : " × ") + std::to_string(part);
        }
        return text;
    }
};

struct options {
    std::string types = "q8_0,q4_0,q4_K,q6_K,bf16,f16,f32", shapes = "2048x5632,4096x11008", rows = "1,4,16,64,512";
    std::string threads = "1,2", heads = "32x4x64,32x8x128", cells = "512,2048", queries = "10,512", cache = "f16,f32";
    std::string turns = "3", turn = "0.1";

    options(int argc, char ** argv) {
        std::pair<const char *, std::string *> all[] = {
            { "--types", &types }, { "--shapes", &shapes }, { "--rows", &rows },       { "--threads", &threads },
            { "--heads", &heads }, { "--cells", &cells },   { "--queries", &queries }, { "--cache", &cache },
            { "--turns", &turns }, { "--turn", &turn },
        };
        for (int i = 1; i < argc; i += 2) {
            const auto found =
                std::find_if(std::begin(all), std::end(all), [&](auto & each) { return strcmp(each.first, argv[i]) == 0; });
            if (found == std::end(all) || i + 1 == argc) {
                fputs(usage, stderr);
                exit(2);
            }
            *found->second = argv[i + 1];
        }
    }

    // One for each number of rows and of threads.
    void add(std::vector<task> & tasks, task t, const std::string & of_rows) const {
        for (int64_t m : numbers(of_rows, ',')) {
            for (int64_t n : numbers(threads, ',')) {
                t.rows    = m;
                t.threads = int(n);
                tasks.push_back(t);
            }
        }
    }

    std::vector<task> products() const {
        std::vector<task> tasks;
        for (const std::string & type : split(types, ',')) {
            for (const std::string & shape : split(shapes, ',')) {
                add(tasks, { false, type_of(type), numbers(shape, 'x'), 0, 0, 0 }, rows);
            }
        }
        return tasks;
    }

    std::vector<task> attention() const {
        std::vector<task> tasks;
        for (const std::string & type : split(cache, ',')) {
            for (const std::string & shape : split(heads, ',')) {
                for (int64_t c : numbers(cells, ',')) {
                    add(tasks, { true, type_of(type), numbers(shape, 'x'), c, 0, 0 }, queries);
                }
            }
        }
        return tasks;
    }
};

// ---- one process's side ----

using context = std::unique_ptr<ggml_context, decltype(&ggml_free)>;
using buffer  = std::unique_ptr<ggml_backend_buffer, decltype(&ggml_backend_buffer_free)>;

context empty_context() {
    return { ggml_init({ ggml_tensor_overhead() * 512 + ggml_graph_overhead(), nullptr, true }), ggml_free };
}

class bench {
  public:
    explicit bench(bool kernels) : ours(kernels) {
        setenv("MURMUR_KERNELS", kernels ? "on" : "off", 1);
        ggml_log_set([](ggml_log_level, const char *, void *) {}, nullptr);
        ggml_backend_load_all();
        device  = ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU);
        backend = ggml_backend_dev_init(device, nullptr);
    }

    void prepare(const task & t) {
        buffers.clear();
        fixed            = empty_context();
        moved            = empty_context();
        graph            = ggml_new_graph(moved.get());
        auto set_threads = reinterpret_cast<ggml_backend_set_n_threads_t>(
            ggml_backend_reg_get_proc_address(ggml_backend_dev_backend_reg(device), "ggml_backend_set_n_threads"));
        set_threads(backend, t.threads);
        t.attention ? attend(t) : multiply(t);
        run();
    }

    // Seconds for one operation: the mean of as many graphs as fit into a turn.
    double turn(double seconds) {
        const auto start = std::chrono::steady_clock::now();
        double     took  = 0;
        int        runs  = 0;
        do {
            run();
            runs++;
            took = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        } while (took < seconds);
        return took / runs / copies;
    }

  private:
    void run() {
        if (ggml_backend_graph_compute(backend, graph) != GGML_STATUS_SUCCESS) {
            fail("a graph could not be computed");
        }
    }

    void allocate(const context & of, ggml_backend_buffer_type_t type) {
        buffers.emplace_back(ggml_backend_alloc_ctx_tensors_from_buft(of.get(), type), ggml_backend_buffer_free);
        if (!buffers.back()) {
            fail("out of memory");
        }
    }

    std::vector<float> random(size_t count) {
        std::normal_distribution<float> normal;
        std::vector<float>              values(count);
        std::generate(values.begin(), values.end(), [&] { return normal(rng); });
        return values;
    }

    // A few thousand random numbers in the tensor's type, over and over.
    void fill(ggml_tensor * tensor) {
        const int64_t      rows   = std::min<int64_t>(16, ggml_nrows(tensor));
        std::vector<float> values = random(size_t(rows * tensor->ne[0]));
        const size_t       part   = size_t(rows) * ggml_row_size(tensor->type, tensor->ne[0]);
        std::vector<char>  one(part);
        ggml_quantize_chunk(tensor->type, values.data(), one.data(), 0, rows, tensor->ne[0], nullptr);
        std::vector<char> all(ggml_nbytes(tensor));
        for (size_t at = 0; at < all.size(); at += part) {
            memcpy(all.data() + at, one.data(), std::min(part, all.size() - at));
        }
        ggml_backend_tensor_set(tensor, all.data(), 0, all.size());
    }

    // llama.cpp's own layout where it has one for this product, as it is when it loads a model; our kernels want none.
    ggml_backend_buffer_type_t layout(ggml_tensor * weights, ggml_tensor * product) {
        auto extra = reinterpret_cast<ggml_backend_dev_get_extra_bufts_t>(
            ggml_backend_reg_get_proc_address(ggml_backend_dev_backend_reg(device), "ggml_backend_dev_get_extra_bufts"));
        for (auto * type = ours || !extra ? nullptr : extra(device); type && *type; type++) {
            const buffer none(ggml_backend_buft_alloc_buffer(*type, 0), ggml_backend_buffer_free);
            weights->buffer      = none.get();
            const bool supported = ggml_backend_dev_supports_op(device, product);
            weights->buffer      = nullptr;
            if (supported) {
                return *type;
            }
        }
        return ggml_backend_dev_buffer_type(device);
    }

    void multiply(const task & t) {
        const size_t size = ggml_row_size(t.type, t.shape[0]) * size_t(t.shape[1]);
        copies            = std::max(1, int(weights_size / size));
        std::vector<ggml_tensor *> given;
        ggml_tensor *              product = nullptr;
        for (int i = 0; i < copies; i++) {
            given.push_back(ggml_new_tensor_2d(fixed.get(), t.type, t.shape[0], t.shape[1]));
            ggml_tensor * x = ggml_new_tensor_2d(moved.get(), GGML_TYPE_F32, t.shape[0], t.rows);
            product         = ggml_mul_mat(moved.get(), given.back(), x);
            ggml_build_forward_expand(graph, product);
        }
        allocate(fixed, layout(given.back(), product));
        allocate(moved, ggml_backend_dev_buffer_type(device));
        for (int i = 0; i < copies; i++) {
            fill(given[size_t(i)]);
            fill(ggml_graph_node(graph, i)->src[1]);
        }
    }

    // As llama.cpp builds it: rows of all heads beside each other, a cache in which the cells lie likewise.
    void attend(const task & t) {
        const int64_t heads = t.shape[0], kv_heads = t.shape[1], size = t.shape[2];
        copies              = 1;
        ggml_context * c    = moved.get();
        ggml_tensor *  q    = ggml_new_tensor_3d(c, GGML_TYPE_F32, size, heads, t.rows);
        ggml_tensor *  k    = ggml_new_tensor_3d(c, t.type, size, kv_heads, t.cells);
        ggml_tensor *  v    = ggml_new_tensor_3d(c, t.type, size, kv_heads, t.cells);
        ggml_tensor *  mask = ggml_new_tensor_2d(c, GGML_TYPE_F16, t.cells, t.rows);
        ggml_tensor *  out =
            ggml_flash_attn_ext(c, ggml_permute(c, q, 0, 2, 1, 3), ggml_permute(c, k, 0, 2, 1, 3),
                                ggml_permute(c, v, 0, 2, 1, 3), mask, 1.0f / std::sqrt(float(size)), 0.0f, 0.0f);
        ggml_prec_set_acc(out, GGML_PREC_F32);
        ggml_build_forward_expand(graph, out);
        allocate(moved, ggml_backend_dev_buffer_type(device));
        fill(q);
        fill(k);
        fill(v);
        std::vector<ggml_fp16_t> visible(size_t(t.cells * t.rows));
        for (int64_t i = 0; i < t.rows; i++) {
            for (int64_t j = 0; j < t.cells; j++) {
                visible[size_t(i * t.cells + j)] = ggml_fp32_to_fp16(j <= t.cells - t.rows + i ? 0.0f : -INFINITY);
            }
        }
        ggml_backend_tensor_set(mask, visible.data(), 0, ggml_nbytes(mask));
    }

    const bool          ours;
    ggml_backend_dev_t  device;
    ggml_backend_t      backend;
    context             fixed = empty_context();
    context             moved = empty_context();
    std::vector<buffer> buffers;
    ggml_cgraph *       graph  = nullptr;
    int                 copies = 1;
    std::mt19937        rng{ 1 };
};

// ---- the two processes ----

// A process that answers each of its tasks' turns with a time.
class child {
  public:
    child(bool kernels, const std::vector<task> & tasks, double seconds) {
        int down[2], up[2];
        if (pipe(down) != 0 || pipe(up) != 0) {
            fail("no pipe could be made");
        }
        process = fork();
        if (process == 0) {
            close(down[1]);
            close(up[0]);
            serve(bench(kernels), tasks, seconds, down[0], up[1]);
            _exit(0);
        }
        close(down[0]);
        close(up[1]);
        ask    = down[1];
        answer = up[0];
    }

    ~child() {
        close(ask);
        close(answer);
        waitpid(process, nullptr, 0);
    }

    child(const child &)             = delete;
    child & operator=(const child &) = delete;

    // For 'p' it prepares its next task, for 't' it takes a turn.
    double say(char what) {
        double seconds;
        if (write(ask, &what, 1) != 1 || read(answer, &seconds, sizeof seconds) != sizeof seconds) {
            fail("a process ended");
        }
        return seconds;
    }

  private:
    static void serve(bench b, const std::vector<task> & tasks, double seconds, int in, int out) {
        size_t next = 0;
        for (char what; read(in, &what, 1) == 1;) {
            if (what == 'p') {
                b.prepare(tasks[next++]);
            }
            const double took = what == 'p' ? 0 : b.turn(seconds);
            if (write(out, &took, sizeof took) != sizeof took) {
                return;
            }
        }
    }

    pid_t process;
    int   ask, answer;
};

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[(values.size() - 1) / 2];
}

void row(const task & t, double on, double off) {
    char            instruction[64];
    const ggml_type type = !t.attention || t.type == GGML_TYPE_F32 ? t.type : GGML_TYPE_BF16;
    const double    peak = murmur_peak(type, t.threads, 0.05, instruction, sizeof instruction);
    const double    rate = t.operations() / on;
    if (t.attention) {
        printf("| %s | %s | %ld | %ld ", ggml_type_name(t.type), t.name().c_str(), long(t.cells), long(t.rows));
    } else {
        printf("| %s | %s | %ld ", ggml_type_name(t.type), t.name().c_str(), long(t.rows));
    }
    printf("| %d | %.3f | %.1f | %.1f | ", t.threads, on * 1e3, rate / 1e9, t.operations() / off / 1e9);
    peak > 0 ? printf("%.2f | %.0f %% of %.0f (%s) |\n", off / on, 100 * rate / peak, peak / 1e9, instruction)
             : printf("%.2f | – |\n", off / on);
    fflush(stdout);
}

void measure(const std::vector<task> & tasks, int turns, double seconds) {
    child on(true, tasks, seconds);
    child off(false, tasks, seconds);
    // Only to ask for the peak, and not before the children were made.
    ggml_backend_load_all();
    for (const task & t : tasks) {
        std::vector<double> with, without;
        on.say('p');
        off.say('p');
        for (int i = 0; i < turns; i++) {
            with.push_back(on.say('t'));
            without.push_back(off.say('t'));
        }
        row(t, median(with), median(without));
    }
}

}  // namespace

int main(int argc, char ** argv) {
    const options o(argc, argv);
    const int     turns   = std::stoi(o.turns);
    const double  seconds = std::stod(o.turn);
    if (const auto tasks = o.products(); !tasks.empty()) {
        printf("| weights | K × N | rows | threads | ms | GOP/s | of llama.cpp | times as fast | share of the peak |\n");
        printf("|---|---|---|---|---|---|---|---|---|\n");
        measure(tasks, turns, seconds);
    }
    if (const auto tasks = o.attention(); !tasks.empty()) {
        printf("\n| cache | heads × kv heads × size | cells | rows | threads | ms | GOP/s | of llama.cpp | times as fast |");
        printf(" share of the peak |\n|---|---|---|---|---|---|---|---|---|---|\n");
        measure(tasks, turns, seconds);
    }
    return 0;
}
