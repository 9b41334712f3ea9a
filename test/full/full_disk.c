/*
 * full_disk.c
 *	  For LD_PRELOAD: files of tables and indexes cannot grow while the file exists
 *	  that FULL_DISK names.  The server gets ENOSPC, as it does on a full disk,
 *	  where what is there can still be overwritten.  For test/t/disk_full.pl.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

/* Whether there is no room for what the file would hold up to "end". */
static int
is_full(int fd, off_t end)
{
	const char *flag = getenv("FULL_DISK");
	char		link[64];
	char		path[4096];
	ssize_t		length;
	struct stat status;

	if (flag == NULL || access(flag, F_OK) != 0)
		return 0;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	length = readlink(link, path, sizeof(path) - 1);
	if (length < 0)
		return 0;
	path[length] = '\0';
	return strstr(path, "/base/") != NULL &&
		fstat(fd, &status) == 0 && end > status.st_size;
}

static ssize_t
write_at(const char *name, int fd, const void *buffer, size_t size, off_t offset)
{
	ssize_t		(*next) (int, const void *, size_t, off_t) = dlsym(RTLD_NEXT, name);

	if (is_full(fd, offset + (off_t) size))
	{
		errno = ENOSPC;
		return -1;
	}
	return next(fd, buffer, size, offset);
}

static ssize_t
write_vector_at(const char *name, int fd, const struct iovec *parts, int count, off_t offset)
{
	ssize_t		(*next) (int, const struct iovec *, int, off_t) = dlsym(RTLD_NEXT, name);
	off_t		size = 0;

	for (int i = 0; i < count; i++)
		size += parts[i].iov_len;
	if (is_full(fd, offset + size))
	{
		errno = ENOSPC;
		return -1;
	}
	return next(fd, parts, count, offset);
}

static int
allocate(const char *name, int fd, off_t offset, off_t size)
{
	int			(*next) (int, off_t, off_t) = dlsym(RTLD_NEXT, name);

	return is_full(fd, offset + size) ? ENOSPC : next(fd, offset, size);
}

ssize_t
pwrite(int fd, const void *buffer, size_t size, off_t offset)
{
	return write_at("pwrite", fd, buffer, size, offset);
}

ssize_t
pwrite64(int fd, const void *buffer, size_t size, off_t offset)
{
	return write_at("pwrite64", fd, buffer, size, offset);
}

ssize_t
pwritev(int fd, const struct iovec *parts, int count, off_t offset)
{
	return write_vector_at("pwritev", fd, parts, count, offset);
}

ssize_t
pwritev64(int fd, const struct iovec *parts, int count, off_t offset)
{
	return write_vector_at("pwritev64", fd, parts, count, offset);
}

int
posix_fallocate(int fd, off_t offset, off_t size)
{
	return allocate("posix_fallocate", fd, offset, size);
}

int
posix_fallocate64(int fd, off_t offset, off_t size)
{
	return allocate("posix_fallocate64", fd, offset, size);
}
