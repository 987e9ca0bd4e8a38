// native/openmp/openmp.cpp under the constructs that ggml compiles, with more threads than processors, several callers and a
// system that gives no threads. OpenMpTest compiles it with -fopenmp and `-Wl,--wrap=pthread_create`, and runs it; it
// says what is wrong, or "ok".

#include <omp.h>
#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <thread>
#include <vector>

static std::atomic<int> threads_left{ 1 << 30 };

extern "C" int __real_pthread_create(pthread_t *, const pthread_attr_t *, void * (*) (void *), void *);
extern "C" int __wrap_pthread_create(pthread_t * thread, const pthread_attr_t * how, void * (*start)(void *), void * data) {
    return threads_left-- > 0 ? __real_pthread_create(thread, how, start, data) : EAGAIN;
}

static void check(bool holds, const char * what) {
    if (!holds) {
        printf("failed: %s\n", what);
        fflush(stdout);
        _Exit(1);
    }
}

static long live() {
    long count = 0;
    for (auto & entry : std::filesystem::directory_iterator("/proc/self/task")) {
        (void) entry;
        count++;
    }
    return count;
}

static double processor_seconds() {
    rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_utime.tv_sec + usage.ru_stime.tv_sec + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

// Everybody writes, meets, and reads what the others wrote: as a graph's nodes do.
static int region(int asked, int rounds, unsigned seed) {
    std::vector<int>  written(asked, -1), once(rounds, 0);
    std::vector<bool> here(asked, false);
    int               size  = 0;
    bool              right = true;
#pragma omp parallel num_threads(asked)
    {
#pragma omp single
        { size = omp_get_num_threads(); }
        const int me     = omp_get_thread_num();
        bool      mine   = me >= 0 && me < size;
        unsigned  random = seed + me;
        for (int round = 0; round < rounds; round++) {
            written[me] = round;
            if (rand_r(&random) % 64 == 0) {
                usleep(rand_r(&random) % 300);
            }
#pragma omp barrier
            for (int other = 0; other < size; other++) {
                mine = mine && written[other] == round;
            }
#pragma omp single
            { once[round]++; }
        }
        if (!mine) {
            __atomic_store_n(&right, false, __ATOMIC_RELAXED);
        }
    }
    check(right, "a thread passed a barrier that others had not reached");
    for (int round = 0; round < rounds; round++) {
        check(once[round] == 1, "a single was run by none or by several");
    }
    return size;
}

struct taken {
    long rows = 0, sum = 0;
};

// What ggml-base does: rows of uneven work dealt out by chunks, two sums, a second loop that reads what the first wrote. The
// bounds are not known to the compiler, and every row must be done by one thread, once.
static taken loops(long from, long to, long step, int chunk, int asked) {
    const size_t     size = from < to ? to - from + 1 : from - to + 1;
    std::vector<int> done(size, 0), seen(size, 0);
    taken            result;
    long             rows = 0, sum = 0;
    bool             right = true;
#pragma omp parallel num_threads(asked) reduction(+ : rows, sum)
    {
#pragma omp for schedule(dynamic, chunk)
        for (long i = 0; i < (to - from + step - (step > 0 ? 1 : -1)) / step; i++) {
            const long row = from + i * step;
            __atomic_fetch_add(&done[row < from ? from - row : row - from], 1, __ATOMIC_RELAXED);
            if (i % 97 == 0) {
                usleep(50);
            }
            rows++;
            sum += row;
        }
#pragma omp for schedule(dynamic, 1)
        for (long i = 0; i < (long) size; i++) {
            seen[i] = done[i];
        }
#pragma omp single
        { right = seen == done; }
    }
    check(right, "a loop began before the one in front of it had ended");
    for (size_t i = 0; i < size; i++) {
        const bool wanted = i % labs(step) == 0 && (from < to ? from + (long) i < to : from - (long) i > to);
        check(done[i] == (wanted ? 1 : 0), "an iteration was done twice or not at all");
    }
    result.rows = rows;
    result.sum  = sum;
    return result;
}

// The loop itself runs downwards, or by steps: the compiler hands start, end and step over as they are.
static long stepped(long from, long to, long step, int chunk) {
    long rows = 0, sum = 0;
#pragma omp parallel reduction(+ : rows, sum)
    {
        if (step > 0) {
#pragma omp for schedule(dynamic, chunk)
            for (long i = from; i < to; i += 7) {
                rows++;
                sum += i;
            }
        } else {
#pragma omp for schedule(dynamic, chunk)
            for (long i = from; i > to; i -= 7) {
                rows++;
                sum += i;
            }
        }
    }
    long expected = 0, count = 0;
    for (long i = from; step > 0 ? i < to : i > to; i += step) {
        expected += i;
        count++;
    }
    check(rows == count, "a loop with steps has another number of iterations");
    check(sum == expected, "a loop with steps has other iterations");
    return rows;
}

static void check_loops() {
    for (int asked = 1; asked <= 5; asked++) {
        for (int chunk : { 1, 3, 64, 5000 }) {
            const taken result = loops(0, 1000, 1, chunk, asked);
            check(result.rows == 1000 && result.sum == 999 * 1000 / 2, "sums of a loop");
            loops(5, 5, 1, chunk, asked);
            loops(100, -301, -4, chunk, asked);
        }
    }
    for (int chunk : { 1, 2, 1000 }) {
        check(stepped(-3, 1000, 7, chunk) == 144, "steps upwards");
        check(stepped(1000, -3, -7, chunk) == 144, "steps downwards");
        check(stepped(4, 4, 7, chunk) == 0, "no steps");
    }
    // Without a team, and inside another region, one thread does it all.
    long alone = 0;
#pragma omp parallel num_threads(3)
    {
#pragma omp single
        { alone = loops(0, 100, 1, 8, 2).rows; }
    }
    check(alone == 100, "a loop in a region inside another one");
    int size = 0;
#pragma omp parallel
    {
#pragma omp single
        { size = omp_get_num_threads(); }
    }
    cpu_set_t set;
    sched_getaffinity(0, sizeof set, &set);
    check(size == CPU_COUNT(&set), "a region that does not say how many gets one thread a processor");
}

int main() {
    check(omp_get_num_threads() == 1 && omp_get_thread_num() == 0, "outside of a region");
    const long before = live();

    std::vector<std::thread> callers;
    for (unsigned caller = 0; caller < 4; caller++) {
        callers.emplace_back([caller] {
            for (unsigned i = 0; i < 150; i++) {
                const int asked = 1 + (caller + i * 7) % 6;
                check(region(asked, 20, caller * 1000 + i) == asked, "not as many threads as asked for");
            }
        });
    }
    for (auto & caller : callers) {
        caller.join();
    }
    // A thread that has been joined may be listed a moment longer.
    for (int i = 0; i < 1000 && live() > before; i++) {
        usleep(1000);
    }
    check(live() == before, "threads outlived their caller");

    std::thread([] {
        threads_left = 2;
        check(region(5, 50, 1) == 3, "two of four new threads were to be had: a team of three");
        threads_left = 0;
        check(region(5, 50, 2) == 3, "none more: still three");
        threads_left = 1 << 30;
        check(region(5, 50, 3) == 5, "five, once they are to be had");
        check(region(2, 50, 4) == 2, "two of five");
    }).join();

    check_loops();
    std::vector<std::thread> loopers;
    for (int i = 0; i < 3; i++) {
        loopers.emplace_back(check_loops);
    }
    for (auto & looper : loopers) {
        looper.join();
    }

    int inner = 0;
#pragma omp parallel num_threads(3)
    {
#pragma omp single
        {
#pragma omp parallel num_threads(2)
            {
#pragma omp barrier
                __atomic_fetch_add(&inner, omp_get_num_threads(), __ATOMIC_RELAXED);
            }
        }
        check(omp_get_num_threads() == 3, "back from the inner region");
    }
    check(inner == 1, "a region inside another one has a team of one");

    const double busy = processor_seconds();
    usleep(300 * 1000);
    check(processor_seconds() - busy < 0.03, "an idle team spins");

    // The kernel puts those aside who wait for one that sleeps.
    const double start = processor_seconds();
#pragma omp parallel num_threads(4)
    {
        if (omp_get_thread_num() == 2) {
            usleep(300 * 1000);
        }
    }
    check(processor_seconds() - start < 0.03, "threads spin for one that sleeps");
    puts("ok");
}
