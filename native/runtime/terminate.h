#ifndef MURMUR_TERMINATE_H
#define MURMUR_TERMINATE_H

extern "C" {
// Called with what is known of an exception that nobody catches; it does not return. Null until the shim has set it. There is
// one in the process, however many C++ runtimes there are.
extern void (*murmur_uncaught)(const char * what);
}

#endif
