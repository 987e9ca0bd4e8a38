// Threads that do the same, as ggml's do.
#pragma once

#include <atomic>
#include <thread>
#include <vector>

// As many threads as come here go on together.
class barrier {
  public:
    explicit barrier(int threads_) : threads(threads_) {}

    void wait() {
        const int round = rounds.load();
        if (++here == threads) {
            here = 0;
            ++rounds;
            return;
        }
        while (rounds.load() == round) {
            std::this_thread::yield();
        }
    }

  private:
    const int        threads;
    std::atomic<int> here{ 0 };
    std::atomic<int> rounds{ 0 };
};

// do_work(thread, barrier) on each of the threads, of which this one is the first.
template <typename function> void in_team(int threads, const function & do_work) {
    barrier                  all(threads);
    std::vector<std::thread> team;
    for (int thread = 1; thread < threads; thread++) {
        team.emplace_back([&, thread] { do_work(thread, all); });
    }
    do_work(0, all);
    for (std::thread & thread : team) {
        thread.join();
    }
}
