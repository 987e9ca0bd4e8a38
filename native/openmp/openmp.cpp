// The functions of GNU OpenMP that ggml calls, for threads that share the machine with others.
//
// A graph has a thousand barriers. libgomp spins a fixed time at each before it sleeps: milliseconds of it starve whoever
// else wants the processor, the awaited thread among them; little of it lets threads sleep that would have waited for an
// uneven share of work; and with two teams in a process, two models in one JVM, it hardly spins at all. Here a thread
// spins for as long as the thread that it waits for runs, which it asks the kernel, and sleeps when that one does not.
//
// Linked into ggml's CPU backend and into ggml-base, each with threads of its own, and not exported: other libraries in the
// process keep their OpenMP, and none has to be installed. GCC calls these for `parallel`, `barrier` and `single` (the
// backend), `for schedule(dynamic)` and `reduction` (ggml-base, which prepares the tables of some quantizations), and ggml
// has no other constructs. One that came to be added would need libgomp, find itself in a team of one there, and do all of
// its work in each thread; build.sh fails then.

#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <climits>
#include <cstdint>
#include <memory>
#include <mutex>
#include <new>
#include <vector>

namespace {

constexpr int64_t microsecond = 1000;

// Spun before the kernel is asked: most waits end within it.
constexpr int64_t first_spin = 20 * microsecond;
// Between two questions; doubled each time, because a long wait hardly ends in the next moment.
constexpr int64_t least_spin = 20 * microsecond;
constexpr int64_t most_spin  = 400 * microsecond;
// For the next graph: the caller may be anywhere, and nothing shall spin while idle. Beside a busy process 50 µs instead
// of these made the median of short scores 5.6 ms instead of 0.7 ms.
constexpr int64_t idle_spin = 20 * microsecond;

int64_t nanoseconds(clockid_t clock) {
    timespec now;
    // Fails where the kernel hides it; then nobody seems to run, and waits are short.
    return clock_gettime(clock, &now) == 0 ? now.tv_sec * INT64_C(1000000000) + now.tv_nsec : 0;
}

void relax() {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("isb" ::: "memory");
#else
    asm volatile("" ::: "memory");
#endif
}

struct member {
    clockid_t clock;  // the thread's processor time
    alignas(64) std::atomic<uint32_t> arrived{0};  // the round of the barrier inside the region that it has reached
};

// Several threads meet; the last one lets all go on.
struct barrier {
    alignas(64) std::atomic<uint32_t> round{0};  // what sleepers sleep on
    alignas(64) std::atomic<int32_t>  present{0};
    std::atomic<int32_t>              sleepers{0};

    // Whether this one was the last. If not, wait() or sleep() follows with what `seen` gets.
    bool arrive(int32_t size, uint32_t & seen) {
        seen = round.load(std::memory_order_relaxed);
        if (present.fetch_add(1, std::memory_order_acq_rel) + 1 < size) {
            return false;
        }
        present.store(0, std::memory_order_relaxed);
        // Either this sees the sleeper, or the sleeper, and the kernel for it, sees the new round.
        round.store(seen + 1, std::memory_order_seq_cst);
        if (sleepers.load(std::memory_order_seq_cst) > 0) {
            syscall(SYS_futex, &round, FUTEX_WAKE_PRIVATE, INT_MAX, nullptr, nullptr, 0);
        }
        return true;
    }

    bool passed(uint32_t seen) const {
        return round.load(std::memory_order_acquire) != seen;
    }

    void sleep(uint32_t seen) {
        sleepers.fetch_add(1, std::memory_order_seq_cst);
        while (!passed(seen)) {
            syscall(SYS_futex, &round, FUTEX_WAIT_PRIVATE, seen, nullptr, nullptr, 0);
        }
        sleepers.fetch_sub(1, std::memory_order_relaxed);
    }

    // Whether it passed before the time was over.
    bool spin(uint32_t seen, int64_t until) const {
        do {
            for (int i = 0; i < 32; i++) {
                if (passed(seen)) {
                    return true;
                }
                relax();
            }
        } while (nanoseconds(CLOCK_MONOTONIC) < until);
        return false;
    }
};

// The iterations of a loop that nobody has taken yet. A region's loops come one after another, a barrier between them.
struct loop {
    uint32_t begun = 0;  // how many loops of the region have
    long     next  = 0;
    long     end   = 0;
    long     step  = 1;
    long     chunk = 1;

    // The first of its team to reach the nth loop says what there is to do.
    void begin(uint32_t nth, const loop & what) {
        if (begun == nth) {
            *this = what;
            begun = nth + 1;
        }
    }

    bool take(long * from, long * to) {
        if (step > 0 ? next >= end : next <= end) {
            return false;
        }
        // Not next + chunk * step, which might wrap around.
        const long left = (end - next) / step + ((end - next) % step != 0);
        *from           = next;
        *to             = left <= chunk ? end : next + chunk * step;
        next            = *to;
        return true;
    }
};

struct region {
    void (*body)(void *) = nullptr;
    void *  data         = nullptr;
    int32_t active       = 1;      // members of it: the first ones of the team
    bool    last         = false;  // nothing to do but to end
};

struct team {
    static constexpr size_t most = 512;  // GGML_MAX_N_THREADS

    // The first is who called; the others are ours.
    std::vector<std::unique_ptr<member>> members;
    std::vector<pthread_t>               workers;
    std::atomic<int32_t>                 all{1};
    barrier                              dock;  // all wait here for a region to begin

    // Two, in turns by the round of the dock: who had no part in a region may look at it when the next one is written.
    region                            regions[2];
    barrier                           inside;
    alignas(64) std::atomic<uint32_t> singles{0};
    std::mutex                        taking;
    loop                              shared;

    team() {
        members.reserve(most);
        workers.reserve(most);
        members.emplace_back(new member);
        pthread_getcpuclockid(pthread_self(), &members[0]->clock);
    }

    ~team() {
        region end;
        end.last = true;
        begin(end);
        for (pthread_t worker : workers) {
            pthread_join(worker, nullptr);
        }
    }

    team(const team &)             = delete;
    team & operator=(const team &) = delete;

    void grow(size_t size);
    region & begin(const region & next);
    void     run(const region & what, int32_t index) noexcept;
    void     work(int32_t index);
    void     meet(const region & what, int32_t index);
    void     wait(const region & what, uint32_t seen);
};

// Where this thread stands; outside of every region in a team of one, as OpenMP has it.
struct place {
    team *         of      = nullptr;
    const region * what    = nullptr;
    int32_t        index   = 0;
    uint32_t       singles = 0;
    uint32_t       loops   = 0;
    loop           alone;
};
thread_local place current;

// What a reduction of several variables is added up under.
std::mutex adding;

// As many as this thread may run on: what a region without num_threads gets.
unsigned processors() {
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0) {
        // More processors than a cpu_set_t has.
        return static_cast<unsigned>(sysconf(_SC_NPROCESSORS_ONLN));
    }
    return static_cast<unsigned>(CPU_COUNT(&set));
}

struct worker_start {
    team *  of;
    int32_t index;
};

void * start_worker(void * argument) {
    std::unique_ptr<worker_start> start(static_cast<worker_start *>(argument));
    start->of->work(start->index);
    return nullptr;
}

// Until there are so many, or the system gives no more.
void team::grow(size_t size) {
    // Signals are for the process's own threads.
    sigset_t blocked, before;
    sigfillset(&blocked);
    pthread_sigmask(SIG_SETMASK, &blocked, &before);
    while (members.size() < size && members.size() < most) {
        std::unique_ptr<worker_start> start(new worker_start{this, static_cast<int32_t>(members.size())});
        members.emplace_back(new member);
        // First: the new thread must not find the dock complete without its caller.
        all.fetch_add(1, std::memory_order_relaxed);
        pthread_t thread;
        if (pthread_create(&thread, nullptr, start_worker, start.get()) != 0) {
            all.fetch_sub(1, std::memory_order_relaxed);
            members.pop_back();
            break;
        }
        start.release();
        pthread_setname_np(thread, "murmuration-cpu");
        workers.push_back(thread);
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void team::work(int32_t index) {
    pthread_getcpuclockid(pthread_self(), &members[index]->clock);
    for (;;) {
        uint32_t seen;
        if (!dock.arrive(all.load(std::memory_order_relaxed), seen) &&
            !dock.spin(seen, nanoseconds(CLOCK_MONOTONIC) + idle_spin)) {
            dock.sleep(seen);
        }
        const region & next = regions[seen & 1];
        if (next.last) {
            return;
        }
        if (index < next.active) {
            run(next, index);
        }
    }
}

// Calls everybody from the dock.
region & team::begin(const region & next) {
    region & place = regions[dock.round.load(std::memory_order_relaxed) & 1];
    place          = next;
    uint32_t seen;
    // Somebody may still be on the way back from the last region.
    if (!dock.arrive(all.load(std::memory_order_relaxed), seen) &&
        !dock.spin(seen, nanoseconds(CLOCK_MONOTONIC) + idle_spin)) {
        dock.sleep(seen);
    }
    return place;
}

void team::run(const region & what, int32_t index) noexcept {
    current       = place();
    current.of    = this;
    current.what  = &what;
    current.index = index;
    what.body(what.data);
    meet(what, index);
    current = place();
}

// The barrier inside a region.
void team::meet(const region & what, int32_t index) {
    members[index]->arrived.store(inside.round.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    uint32_t seen;
    if (!inside.arrive(what.active, seen)) {
        wait(what, seen);
    }
}

void team::wait(const region & what, uint32_t seen) {
    const auto has_arrived = [&](int32_t index) {
        return members[index]->arrived.load(std::memory_order_relaxed) == seen + 1;
    };
    if (inside.spin(seen, nanoseconds(CLOCK_MONOTONIC) + first_spin)) {
        return;
    }
    int32_t awaited = 0;
    for (int64_t spin = least_spin;; spin = 2 * spin < most_spin ? 2 * spin : most_spin) {
        // If all have arrived, the last one is about to say so, and is watched as well.
        while (awaited < what.active - 1 && has_arrived(awaited)) {
            awaited++;
        }
        const int64_t start = nanoseconds(CLOCK_MONOTONIC);
        const int64_t ran   = nanoseconds(members[awaited]->clock);
        if (inside.spin(seen, start + spin)) {
            return;
        }
        const int64_t waited = nanoseconds(CLOCK_MONOTONIC) - start;
        const bool    runs   = 2 * (nanoseconds(members[awaited]->clock) - ran) > waited;
        // So much more time went by if this thread itself was put aside: others want its processor.
        if (waited > 4 * spin || (!runs && !has_arrived(awaited))) {
            inside.sleep(seen);
            return;
        }
    }
}

}  // namespace

#pragma GCC visibility push(hidden)
extern "C" {
void GOMP_parallel(void (*body)(void *), void * data, unsigned threads, unsigned binding);
void GOMP_barrier();
bool GOMP_single_start();
bool GOMP_loop_nonmonotonic_dynamic_start(long start, long end, long step, long chunk, long * from, long * to);
bool GOMP_loop_nonmonotonic_dynamic_next(long * from, long * to);
void GOMP_loop_end();
void GOMP_atomic_start();
void GOMP_atomic_end();
int  omp_get_thread_num();
int  omp_get_num_threads();
}

void GOMP_parallel(void (*body)(void *), void * data, unsigned threads, unsigned /* binding */) {
    // One for each thread that computes: they do not wait for each other.
    thread_local team own;
    if (threads == 0) {
        threads = processors();
    }
    if (current.of == nullptr && threads > 1) {
        own.grow(threads);
    }
    int32_t active = static_cast<int32_t>(threads < own.members.size() ? threads : own.members.size());
    if (current.of != nullptr || active < 2) {
        const place outside = current;
        current             = place();
        body(data);
        current = outside;
        return;
    }
    own.singles.store(0, std::memory_order_relaxed);
    own.shared = loop();
    region next;
    next.body   = body;
    next.data   = data;
    next.active = active;
    own.run(own.begin(next), 0);
}

void GOMP_barrier() {
    if (current.of != nullptr) {
        current.of->meet(*current.what, current.index);
    }
}

bool GOMP_single_start() {
    if (current.of == nullptr) {
        return true;
    }
    // Whoever is the first to reach the nth of a region.
    uint32_t mine = current.singles++;
    return current.of->singles.compare_exchange_strong(mine, mine + 1, std::memory_order_acq_rel);
}

bool GOMP_loop_nonmonotonic_dynamic_next(long * from, long * to) {
    if (current.of == nullptr) {
        return current.alone.take(from, to);
    }
    std::lock_guard<std::mutex> lock(current.of->taking);
    return current.of->shared.take(from, to);
}

bool GOMP_loop_nonmonotonic_dynamic_start(long start, long end, long step, long chunk, long * from, long * to) {
    loop what;
    what.next          = start;
    what.end           = end;
    what.step          = step;
    what.chunk         = chunk;
    const uint32_t nth = current.loops++;
    if (current.of == nullptr) {
        current.alone.begin(nth, what);
    } else {
        std::lock_guard<std::mutex> lock(current.of->taking);
        current.of->shared.begin(nth, what);
    }
    return GOMP_loop_nonmonotonic_dynamic_next(from, to);
}

void GOMP_loop_end() {
    GOMP_barrier();
}

void GOMP_atomic_start() {
    adding.lock();
}

void GOMP_atomic_end() {
    adding.unlock();
}

int omp_get_thread_num() {
    return current.index;
}

int omp_get_num_threads() {
    return current.of != nullptr ? current.what->active : 1;
}

#pragma GCC visibility pop
