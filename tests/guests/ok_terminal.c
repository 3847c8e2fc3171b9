/* SPDX-License-Identifier: MIT */
/*
 * ok_terminal.c - a raw terminal: reads for so many characters, for so long, and
 * for none: correct
 */
#include <assert.h>
#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include "guest.h"

static int master, slave;

static void *type(void *arg)
{
	(void)arg;
	for (int i = 0; i < 4; i++)
		assert(write(master, "x", 1) == 1);
	return NULL;
}

static void set(int min, int tenths)
{
	struct termios m;

	assert(!tcgetattr(slave, &m));
	cfmakeraw(&m);
	m.c_cc[VMIN] = (cc_t)min;
	m.c_cc[VTIME] = (cc_t)tenths;
	assert(!tcsetattr(slave, TCSADRAIN, &m));
}

int main(void)
{
	char b[16];
	pthread_t t;

	master = posix_openpt(O_RDWR | O_NOCTTY);
	if (master < 0 || grantpt(master) || unlockpt(master))
		return guest_ok();	/* no terminals here */
	slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	assert(slave >= 0);
	set(0, 0);
	assert(read(slave, b, 16) == 0);
	set(0, 1);
	assert(read(slave, b, 16) == 0);
	set(4, 0);
	t = guest_start(type, NULL);
	assert(read(slave, b, 16) == 4);
	guest_join(t);
	t = guest_start(type, NULL);
	assert(read(slave, b, 2) == 2 && read(slave, b, 2) == 2);
	guest_join(t);
	tcdrain(slave);
	return guest_ok();
}
