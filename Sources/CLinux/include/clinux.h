// Kernel calls that Swift's Glibc module does not show: epoll, eventfd, signalfd as they are, and wrappers
// for what is declared only under _GNU_SOURCE or is variadic.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>

/// accept4(2) with SOCK_NONBLOCK | SOCK_CLOEXEC.
int clinux_accept(int listener, struct sockaddr *address, socklen_t *length);

/// getrandom(2) until `length` bytes are filled. Aborts only when the kernel has no random source at all.
void clinux_random(void *buffer, size_t length);

/// Names the calling thread (15 bytes at most) for `top -H` and gdb.
void clinux_name_thread(const char *name);

/// The number of cores this process may run on (sched_getaffinity), at least 1.
int clinux_usable_cores(void);

/// memmem(3): the first place of `needle` in `haystack`, or NULL.
const void *clinux_find(const void *haystack, size_t length, const void *needle, size_t needle_length);

/// The peer's user id on a Unix-domain socket (SO_PEERCRED), or -1.
long clinux_peer_user(int socket);

/// Gives freed heap back to the kernel, also in the middle of it (malloc_trim(3)).
void clinux_trim_heap(void);

/// Gives back what only the start has used: freed heap, and the pages of code, of which those that are
/// needed again come back by themselves from the kernel's cache.
void clinux_release_startup_memory(void);
