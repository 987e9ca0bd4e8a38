#include "calls.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

using namespace murmur;

struct murmur_file {
    int         descriptor;
    struct stat opened;
};

murmur_file * murmur_file_open(const char * path, char * error, size_t error_size) {
    // Without O_NONBLOCK the opening of a pipe waits for somebody to write.
    const int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0) {
        set_error(error, error_size, strerror(errno));
        return nullptr;
    }
    murmur_file * file = new (std::nothrow) murmur_file{ descriptor, {} };
    if (!file || fstat(descriptor, &file->opened) != 0 || !S_ISREG(file->opened.st_mode)) {
        set_error(error, error_size, !file ? "out of native memory" : "this is not a regular file");
        close(descriptor);
        delete file;
        return nullptr;
    }
    return file;
}

void murmur_file_close(murmur_file * file) {
    close(file->descriptor);
    delete file;
}

int64_t murmur_file_size(const murmur_file * file) {
    return file->opened.st_size;
}

int64_t murmur_file_read(const murmur_file * file, int64_t offset, void * bytes, int64_t size, char * error,
                         size_t error_size) {
    int64_t done = 0;
    while (done < size) {
        const ssize_t count = pread(file->descriptor, (char *) bytes + done, (size_t) (size - done), offset + done);
        if (count == 0) {
            break;
        }
        if (count > 0) {
            done += count;
        } else if (errno != EINTR) {
            set_error(error, error_size, strerror(errno));
            return MURMUR_EXCEPTION;
        }
    }
    return done;
}

bool murmur_file_changed(const murmur_file * file) {
    // Not st_ctime: it changes as well when another file takes the name, which is how a model is to be replaced.
    struct stat current;
#ifdef __APPLE__
#define MODIFIED st_mtimespec
#else
#define MODIFIED st_mtim
#endif
    const struct stat & opened = file->opened;
    return fstat(file->descriptor, &current) != 0 || current.st_size != opened.st_size ||
           current.MODIFIED.tv_sec != opened.MODIFIED.tv_sec || current.MODIFIED.tv_nsec != opened.MODIFIED.tv_nsec;
#undef MODIFIED
}

int murmur::duplicate(const murmur_file * file) {
    const int descriptor = fcntl(file->descriptor, F_DUPFD_CLOEXEC, 0);
    if (descriptor < 0) {
        throw std::runtime_error(strerror(errno));
    }
    return descriptor;
}

std::string murmur::name_of(const murmur_file * file) {
#ifdef __linux__
    const std::string name = "/proc/self/fd/" + std::to_string(file->descriptor);
#else
    const std::string name = "/dev/fd/" + std::to_string(file->descriptor);
#endif
    struct stat named;
    if (stat(name.c_str(), &named) != 0 || named.st_dev != file->opened.st_dev || named.st_ino != file->opened.st_ino) {
        throw std::runtime_error(name + " does not lead to the open file; is /proc mounted?");
    }
    return name;
}
