// Random numbers with a normal distribution, of which some thousands are drawn once: drawing each took most of a test's
// time.
#pragma once

#include <cstddef>
#include <random>
#include <vector>

class normal_numbers {
  public:
    // They go on from a random one.
    template <class generator> explicit normal_numbers(generator & rng) : next(rng() % count) {}

    float operator()() {
        next = next + 1 < count ? next + 1 : 0;
        return drawn()[next];
    }

  private:
    // A prime, so that no row of a matrix is like another one.
    static constexpr size_t count = 65521;
    size_t                  next;

    static const float * drawn() {
        static const std::vector<float> numbers = [] {
            std::mt19937_64                 rng(20261126);
            std::normal_distribution<float> normal;
            std::vector<float>              of(count);
            for (float & number : of) {
                number = normal(rng);
            }
            return of;
        }();
        return numbers.data();
    }
};
