/* SPDX-License-Identifier: MIT */
/*
 * sqlite_threads.c - threads with a connection each write to one database
 *
 * Each thread adds its share to a counter in transactions, and tries again when
 * the database is busy. No update may be lost. The database is made anew in the
 * directory given as argument.
 */
#include <pthread.h>
#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NR_THREADS 3
#define NR_ROUNDS 2
#define BUSY_MS 60000

static char path[4096];

static void check(int rc, sqlite3 *db, const char *what)
{
	if (rc == SQLITE_OK || rc == SQLITE_DONE || rc == SQLITE_ROW)
		return;
	fprintf(stderr, "%s: %s\n", what, db ? sqlite3_errmsg(db) : "?");
	exit(3);
}

static sqlite3 *connect(void)
{
	sqlite3 *db = NULL;

	check(sqlite3_open(path, &db), db, "open");
	check(sqlite3_busy_timeout(db, BUSY_MS), db, "busy timeout");
	return db;
}

static void execute(sqlite3 *db, const char *sql)
{
	check(sqlite3_exec(db, sql, NULL, NULL, NULL), db, sql);
}

static int first_number(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *statement;
	int number;

	check(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), db, sql);
	check(sqlite3_step(statement), db, sql);
	number = sqlite3_column_int(statement, 0);
	check(sqlite3_finalize(statement), db, sql);
	return number;
}

static void *work(void *arg)
{
	int share = (int)(uintptr_t)arg + 1;
	sqlite3 *db = connect();
	char sql[128];

	for (int i = 0; i < NR_ROUNDS; i++) {
		/* Read and write back: lost if not one transaction. */
		execute(db, "BEGIN IMMEDIATE");
		snprintf(sql, sizeof(sql), "UPDATE counter SET value = %d",
			 first_number(db, "SELECT value FROM counter") + share);
		execute(db, sql);
		snprintf(sql, sizeof(sql), "INSERT INTO log VALUES(%d, %d)",
			 share, i);
		execute(db, sql);
		execute(db, "COMMIT");
	}
	check(sqlite3_close(db), db, "close");
	return NULL;
}

static void remove_old(void)
{
	static const char *const suffix[] = { "", "-journal", "-wal", "-shm" };
	char name[4200];

	for (unsigned int i = 0; i < sizeof(suffix) / sizeof(*suffix); i++) {
		snprintf(name, sizeof(name), "%s%s", path, suffix[i]);
		unlink(name);
	}
}

int main(int argc, char **argv)
{
	int expected = NR_ROUNDS * NR_THREADS * (NR_THREADS + 1) / 2;
	pthread_t thread[NR_THREADS];
	sqlite3 *db;

	snprintf(path, sizeof(path), "%s/test.db", argc > 1 ? argv[1] : ".");
	remove_old();
	db = connect();
	if (argc > 2 && !strcmp(argv[2], "wal"))
		execute(db, "PRAGMA journal_mode = WAL");
	execute(db, "PRAGMA synchronous = OFF");
	execute(db, "CREATE TABLE counter(value INTEGER)");
	execute(db, "CREATE TABLE log(share INTEGER, round INTEGER)");
	execute(db, "INSERT INTO counter VALUES(0)");

	for (uintptr_t i = 0; i < NR_THREADS; i++)
		if (pthread_create(&thread[i], NULL, work, (void *)i))
			return 99;
	for (int i = 0; i < NR_THREADS; i++)
		pthread_join(thread[i], NULL);

	if (first_number(db, "SELECT value FROM counter") != expected ||
	    first_number(db, "SELECT count(*) FROM log") !=
		    NR_ROUNDS * NR_THREADS ||
	    first_number(db, "SELECT sum(share) FROM log") != expected) {
		fprintf(stderr, "the sum is wrong\n");
		return 4;
	}
	check(sqlite3_close(db), db, "close");
	remove_old();
	puts("ok");
	return 0;
}
