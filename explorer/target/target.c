/* SPDX-License-Identifier: MIT */
/*
 * target.c - what is to be run, and whether it can be run under control.
 *
 * Checked before anything is started, so that a program that cannot work gets
 * one clear message and not a puzzling failure of the loader.
 */
#include "explorer/target/target.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/util.h"

#define MAX_SCRIPT_DEPTH 4	/* as the kernel's limit */
#define MAX_PROGRAM_HEADERS 512

/* ------------------------------------------------------------------ ELF */

static const char *machine_name(unsigned int machine)
{
	static const struct {
		unsigned int machine;
		const char *name;
	} row[] = {
		{ EM_386, "i386" },	{ EM_AARCH64, "aarch64" },
		{ EM_ARM, "arm" },	{ EM_RISCV, "riscv" },
		{ EM_PPC64, "ppc64" },	{ EM_PPC, "ppc" },
		{ EM_S390, "s390" },	{ EM_MIPS, "mips" },
		{ EM_SPARCV9, "sparc" }, { EM_LOONGARCH, "loongarch" },
	};

	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++)
		if (row[i].machine == machine)
			return row[i].name;
	return "unknown";
}

static int check_header(const Elf64_Ehdr *e, const char *path,
			struct errbuf *err)
{
	/* e_machine lies at the same place in 32-bit files. */
	if (e->e_ident[EI_DATA] != ELFDATA2LSB ||
	    (e->e_machine != EM_X86_64 && e->e_machine != EM_386)) {
		errbuf_addf(err, "'%s' is a program for another architecture "
			    "(%s); only x86-64 can be explored", path,
			    machine_name(e->e_machine));
		return -ENOEXEC;
	}
	if (e->e_ident[EI_CLASS] != ELFCLASS64 || e->e_machine != EM_X86_64) {
		errbuf_addf(err, "'%s' is a 32-bit program; only 64-bit "
			    "programs can be explored", path);
		return -ENOEXEC;
	}
	if (e->e_type != ET_EXEC && e->e_type != ET_DYN) {
		errbuf_addf(err, "'%s' is an ELF file, but no program", path);
		return -ENOEXEC;
	}
	return 0;
}

/* The loader named in the file must be there, or execve() says ENOENT. */
static int check_loader(int fd, const Elf64_Phdr *interp, const char *path,
			struct errbuf *err)
{
	char loader[256] = "";

	if (!interp->p_filesz || interp->p_filesz >= sizeof(loader) ||
	    pread(fd, loader, interp->p_filesz, (off_t)interp->p_offset) !=
		    (ssize_t)interp->p_filesz) {
		errbuf_addf(err, "'%s' is damaged: the name of its loader "
			    "cannot be read", path);
		return -ENOEXEC;
	}
	if (access(loader, X_OK)) {
		errbuf_addf(err, "'%s' needs the loader '%s', which is not "
			    "there", path, loader);
		return -ENOENT;
	}
	return 0;
}

static int check_elf(int fd, const char *path, struct errbuf *err)
{
	Elf64_Phdr *ph = NULL;
	Elf64_Ehdr e;
	size_t bytes;
	int rc;

	memset(&e, 0, sizeof(e));
	if (pread(fd, &e, sizeof(e), 0) < (ssize_t)sizeof(Elf32_Ehdr)) {
		errbuf_addf(err, "'%s' is a truncated ELF file", path);
		return -ENOEXEC;
	}
	rc = check_header(&e, path, err);
	if (rc)
		return rc;
	bytes = e.e_phnum * sizeof(*ph);
	ph = xcalloc(e.e_phnum, sizeof(*ph));
	rc = -ENOEXEC;
	if (e.e_phentsize != sizeof(*ph) || e.e_phnum > MAX_PROGRAM_HEADERS ||
	    pread(fd, ph, bytes, (off_t)e.e_phoff) != (ssize_t)bytes) {
		errbuf_addf(err, "'%s' is a damaged or truncated ELF file",
			    path);
		goto out;
	}
	for (size_t i = 0; i < e.e_phnum; i++)
		if (ph[i].p_type == PT_INTERP) {
			rc = check_loader(fd, &ph[i], path, err);
			goto out;
		}
	errbuf_addf(err, "'%s' is statically linked; the runtime can only be "
		    "loaded into dynamically linked programs", path);
out:
	free(ph);
	return rc;
}

/* ---------------------------------------------------------------- files */

/*
 * The loader ignores LD_PRELOAD in programs that get rights by being run. The
 * guard's no_new_privs would take the rights away, and so change the program.
 */
static int check_rights(int fd, const struct stat *st, const char *path,
			struct errbuf *err)
{
	const char *what = NULL;

	if (st->st_mode & S_ISUID)
		what = "set-user-ID";
	else if ((st->st_mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP))
		what = "set-group-ID";
	else if (fgetxattr(fd, "security.capability", NULL, 0) > 0)
		what = "given file capabilities";
	if (!what)
		return 0;
	errbuf_addf(err, "'%s' is %s: the loader loads no runtime into such "
		    "programs; explore a copy without that", path, what);
	return -EPERM;
}

/* Open a regular, executable file. Returns the descriptor or -errno. */
static int open_program(const char *path, struct errbuf *err)
{
	struct stat st;
	int fd, rc;

	if (stat(path, &st)) {
		rc = -errno;
		errbuf_addf(err, "cannot find '%s': %s", path, strerror(-rc));
		return rc;
	}
	if (S_ISDIR(st.st_mode)) {
		errbuf_addf(err, "'%s' is a directory", path);
		return -EISDIR;
	}
	if (!S_ISREG(st.st_mode)) {
		errbuf_addf(err, "'%s' is not a regular file", path);
		return -EACCES;
	}
	/* eaccess: with the effective ids, as execve() does. */
	if (eaccess(path, X_OK)) {
		rc = -errno;
		errbuf_addf(err, "'%s' is not executable: %s", path,
			    strerror(-rc));
		return rc;
	}
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		rc = -errno;
		errbuf_addf(err, "cannot read '%s': %s", path, strerror(-rc));
		return rc;
	}
	rc = check_rights(fd, &st, path, err);
	if (rc) {
		close(fd);
		return rc;
	}
	return fd;
}

/* Where execvp() would find it, malloc'd; or NULL. */
static char *search_path(const char *name)
{
	const char *path = getenv("PATH"), *end;
	struct stat st;
	char *found;

	if (!path)
		path = "/bin:/usr/bin";
	for (;; path = end + 1) {
		int n;

		end = strchrnul(path, ':');
		n = (int)(end - path);
		/* An empty entry means the current directory. */
		found = n ? xasprintf("%.*s/%s", n, path, name) :
			    xasprintf("./%s", name);
		if (!eaccess(found, X_OK) && !stat(found, &st) &&
		    S_ISREG(st.st_mode))
			return found;
		free(found);
		if (!*end)
			return NULL;
	}
}

static char *find_program(const char *name, struct errbuf *err)
{
	char *found, *absolute;

	if (!*name) {
		errbuf_addf(err, "the program's name is empty");
		return NULL;
	}
	found = strchr(name, '/') ? xstrdup(name) : search_path(name);
	if (!found) {
		errbuf_addf(err, "cannot find '%s' in PATH%s", name,
			    access(name, F_OK) ? "" :
			    "; did you mean './'?");
		return NULL;
	}
	absolute = realpath(found, NULL);
	if (!absolute)
		errbuf_addf(err, "cannot find '%s': %s", name,
			    strerror(errno));
	free(found);
	return absolute;
}

/* -------------------------------------------------------------- scripts */

/* What stands behind "#!". */
struct shebang {
	char line[256];
	char *interpreter;
	char *argument;		/* at most one; NULL: none */
};

/* Returns 1 for a script, 0 for something else, negative with `err`. */
static int read_shebang(int fd, const char *path, struct shebang *s,
			struct errbuf *err)
{
	ssize_t n = pread(fd, s->line, sizeof(s->line) - 1, 0);
	char *p, *end;

	if (n < 2 || memcmp(s->line, "#!", 2))
		return 0;
	s->line[n] = '\0';
	s->line[strcspn(s->line, "\n")] = '\0';
	p = s->line + 2 + strspn(s->line + 2, " \t");
	if (!*p) {
		errbuf_addf(err, "the script '%s' names no interpreter", path);
		return -ENOEXEC;
	}
	s->interpreter = p;
	p += strcspn(p, " \t");
	s->argument = NULL;
	if (*p) {
		*p++ = '\0';
		p += strspn(p, " \t");
		end = p + strlen(p);
		while (end > p && strchr(" \t\r", end[-1]))
			*--end = '\0';
		s->argument = *p ? p : NULL;
	}
	return 1;
}

/* Put the interpreter and its argument before the script in t->argv. */
static int apply_shebang(struct target *t, struct shebang *s,
			 struct errbuf *err)
{
	/*
	 * `#!/usr/bin/env python3`: env would replace itself with python3,
	 * which loses control; so do here what it does.
	 */
	bool is_env = !strcmp(path_base(s->interpreter), "env") &&
		      s->argument && !strpbrk(s->argument, "= \t") &&
		      s->argument[0] != '-';
	char *name = is_env ? s->argument : s->interpreter;
	char *argument = is_env ? NULL : s->argument;
	char *script = t->program, **argv;
	size_t nr = 0, at = 0;
	struct errbuf why = ERRBUF_INIT;

	t->program = find_program(name, &why);
	if (!t->program) {
		errbuf_addf(err, "the interpreter of '%s': %s", script,
			    why.text);
		free(script);
		return -ENOENT;
	}
	while (t->argv[nr])
		nr++;
	argv = xcalloc(nr + 3, sizeof(*argv));
	argv[at++] = xstrdup(name);
	if (argument)
		argv[at++] = xstrdup(argument);
	argv[at++] = script;
	free(t->argv[0]);
	for (size_t i = 1; i < nr; i++)
		argv[at++] = t->argv[i];
	free(t->argv);
	t->argv = argv;
	return 0;
}

/* --------------------------------------------------------------- public */

/* One step: 0 done, 1 t now names the interpreter, or negative. */
static int check_one(struct target *t, struct errbuf *err)
{
	struct shebang s;
	char magic[SELFMAG];
	int fd, rc;

	fd = open_program(t->program, err);
	if (fd < 0)
		return fd;
	if (pread(fd, magic, sizeof(magic), 0) == (ssize_t)sizeof(magic) &&
	    !memcmp(magic, ELFMAG, SELFMAG)) {
		rc = check_elf(fd, t->program, err);
		goto out;
	}
	rc = read_shebang(fd, t->program, &s, err);
	if (rc == 1) {
		rc = apply_shebang(t, &s, err);
		rc = rc ? rc : 1;
	} else if (!rc) {
		errbuf_addf(err, "'%s' is neither an ELF program nor a script "
			    "with a '#!' line", t->program);
		rc = -ENOEXEC;
	}
out:
	close(fd);
	return rc;
}

int target_check(const char *path, struct errbuf *err)
{
	int fd = open_program(path, err), rc;

	if (fd < 0)
		return fd;
	rc = check_elf(fd, path, err);
	close(fd);
	return rc;
}

static int check_all(struct target *t, struct errbuf *err)
{
	int rc = 1;

	for (int depth = 0; rc == 1 && depth <= MAX_SCRIPT_DEPTH; depth++)
		rc = check_one(t, err);
	if (rc == 1) {
		errbuf_addf(err, "'%s': too many scripts that interpret "
			    "scripts", t->argv[0]);
		rc = -ELOOP;
	}
	return rc;
}

int target_init(struct target *t, char *const *argv, struct errbuf *err)
{
	int rc;

	memset(t, 0, sizeof(*t));
	t->argv = xstrvdup(argv);
	t->program = find_program(argv[0], err);
	rc = t->program ? check_all(t, err) : -ENOENT;
	if (rc)
		target_release(t);
	return rc;
}

/* The next string of `e`; NULL when it is not there. */
static char *take_string(const struct control_exec *e, size_t *at)
{
	size_t bytes = e->bytes < sizeof(e->text) ? e->bytes : sizeof(e->text);
	size_t left = *at < bytes ? bytes - *at : 0;
	size_t n = strnlen(e->text + *at, left);
	char *string;

	if (n == left)
		return NULL;
	string = xstrdup(e->text + *at);
	*at += n + 1;
	return string;
}

static char **take_strings(const struct control_exec *e, uint32_t nr,
			   size_t *at)
{
	char **list;

	if (nr > sizeof(e->text))
		return NULL;
	list = xcalloc(nr + 1ul, sizeof(*list));
	for (uint32_t i = 0; i < nr; i++)
		if (!(list[i] = take_string(e, at)))
			break;
	return list;
}

int target_replace(struct target *t, const struct control_exec *e,
		   struct errbuf *err)
{
	struct target new = *t;
	size_t at = 0;
	int rc = -EINVAL;

	new.stdin_path = NULL;
	new.program = take_string(e, &at);
	new.cwd = take_string(e, &at);
	new.argv = take_strings(e, e->nr_args, &at);
	new.env = take_strings(e, e->nr_env, &at);
	if (new.program && new.cwd && new.argv && new.argv[0] && new.env)
		rc = check_all(&new, err);
	else
		errbuf_addf(err, "what it executes cannot be read");
	if (rc) {
		target_release(&new);
		return rc;
	}
	free(t->program);
	strv_free(t->argv);
	strv_free(t->env);
	free(t->cwd);
	new.stdin_path = t->stdin_path;
	*t = new;
	return 0;
}

void target_release(struct target *t)
{
	free(t->program);
	strv_free(t->argv);
	strv_free(t->env);
	free(t->cwd);
	free(t->stdin_path);
	memset(t, 0, sizeof(*t));
}
