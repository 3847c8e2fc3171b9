/* SPDX-License-Identifier: MIT */
/*
 * fixture.c - what compilers make of many ways to use memory, with the
 * results printed: patched and unpatched must print the same.
 */
#include <alloca.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NR 257

struct record {
	uint8_t tag;
	uint16_t low : 5, high : 7;
	int32_t value;
	double weight;
	struct record *next;
	char name[11];
};

static uint32_t seed = 12345;
static int numbers[NR];
static long long wide[NR];
static float singles[NR];
static double doubles[NR];
static struct record records[NR];
static __thread int per_thread;
static const int primes[] = { 2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31 };
int (*volatile operation)(int, int);

static uint32_t rnd(void)
{
	seed = seed * 1664525 + 1013904223;
	return seed >> 8;
}

static void fill(void)
{
	for (int i = 0; i < NR; i++) {
		numbers[i] = (int)(rnd() % 1000) - 500;
		wide[i] = (long long)rnd() << 20 ^ rnd();
		singles[i] = (float)(rnd() % 1000) / 8;
		doubles[i] = (double)(rnd() % 100000) / 64;
		records[i] = (struct record){
			.tag = (uint8_t)i,
			.low = (uint16_t)(i & 31),
			.high = (uint16_t)(i & 127),
			.value = numbers[i],
			.weight = doubles[i],
			.next = i ? &records[i - 1] : NULL,
		};
		snprintf(records[i].name, sizeof(records[i].name), "r%d", i);
	}
}

static void arithmetic(void)
{
	long long sum = 0;
	double d = 0;
	float f = 0;
	long double l = 0;

	for (int i = 0; i < NR; i++) {
		sum += numbers[i] * (wide[i] % 1001);
		sum ^= wide[i] >> (i % 13);
		numbers[i] += 3;
		numbers[i] <<= 1;
		wide[NR - 1 - i] -= numbers[i];
		d += doubles[i] * singles[i];
		f += singles[i] / 3;
		l += (long double)doubles[i];
	}
	printf("arithmetic %lld %a %a %La\n", sum, d, (double)f, l);
}

static void lists(void)
{
	int n = 0;
	double w = 0;

	for (struct record *r = &records[NR - 1]; r; r = r->next) {
		r->low++;
		r->high ^= r->low;
		n += r->value + r->high + r->name[1];
		w += r->weight;
		*r = (struct record){ r->tag, r->low, r->high, n, w, r->next,
				      "copied" };
	}
	printf("lists %d %a %s\n", n, w, records[5].name);
}

static int choose(int what, int x)
{
	switch (what) {
	case 0: return x + numbers[1];
	case 1: return x * 3;
	case 2: return x - numbers[x & 15];
	case 3: return x ^ 0x55;
	case 4: numbers[2]++; return x;
	case 5: return x / 3;
	case 6: return numbers[2] - x;
	case 7: return ~x;
	case 8: return x % 7 + numbers[3];
	case 11: return x << 2;
	default: return primes[(unsigned int)x % 11];
	}
}

/* An interpreter whose operations are label addresses. */
static int interpret(const uint8_t *code)
{
	static void *const label[] = { &&push, &&add, &&swap, &&dup, &&load,
				       &&end };
	int stack[16] = { 0 }, *top = stack;
	int tmp;

	goto *label[*code];
push:
	*++top = code[1];
	code += 2;
	goto *label[*code];
add:
	top[-1] += *top;
	top--;
	goto *label[*++code];
swap:
	tmp = *top;
	*top = top[-1];
	top[-1] = tmp;
	goto *label[*++code];
dup:
	top[1] = *top;
	top++;
	goto *label[*++code];
load:
	*top = numbers[*top & 127];
	goto *label[*++code];
end:
	return *top;
}

static void branches(void)
{
	static const uint8_t code[] = { 0, 7, 0, 9, 1, 3, 4, 2, 1, 0, 200, 4,
					1, 5 };
	int x = 1;

	for (int i = 0; i < 1000; i++)
		x = choose(i % 14, x) % 100000;
	printf("branches %d %d\n", x, interpret(code));
}

static void exchange(int *a, int *b)
{
	int t = *a;

	*a = *b;
	*b = t;
}

static int sum_all(int n, ...)
{
	va_list args;
	int sum = 0;

	va_start(args, n);
	for (int i = 0; i < n; i++)
		sum += i % 3 == 2 ? (int)va_arg(args, double)
				  : va_arg(args, int);
	va_end(args);
	return sum;
}

static void stacks(int n)
{
	int vla[n];	/* on purpose */
	char *heap = alloca((size_t)n * 3);
	struct record local = records[n];
	int a = n, b = 7;

	exchange(&a, &b);
	for (int i = 0; i < n; i++) {
		vla[i] = numbers[i] + a;
		heap[i * 3] = (char)vla[i];
	}
	local.value += b;
	exchange(&vla[0], &vla[n - 1]);
	printf("stacks %d %d %d %d %d %d\n", a, b, vla[n / 2], vla[0],
	       heap[3], local.value + sum_all(6, 1, 2, 3.5, 4, 5, 6.5));
	if (n > 3)
		stacks(n / 2);
}

static int compare(const void *a, const void *b)
{
	return *(const int *)a < *(const int *)b ? -1 :
	       *(const int *)a > *(const int *)b;
}

static int plus(int a, int b)
{
	return a + b;
}

static int minus(int a, int b)
{
	return a - b;
}

static void calls(void)
{
	int r = 0;

	qsort(numbers, NR, sizeof(*numbers), compare);
	for (int i = 0; i < 20; i++) {
		operation = i & 1 ? plus : minus;
		r = operation(r, numbers[i]);
	}
	printf("calls %d %d %d\n", numbers[0], numbers[NR - 1], r);
}

static void string_instructions(void)
{
	char from[64], to[64];
	const char *s = from;
	char *d = to;
	unsigned long n = 40;
	unsigned char is_equal;

	memset(to, '.', sizeof(to));
	for (int i = 0; i < 64; i++)
		from[i] = (char)('a' + i % 26);
	__asm__ volatile("rep movsb" : "+S"(s), "+D"(d), "+c"(n) : : "memory");
	n = 3;
	__asm__ volatile("rep stosq" : "+D"(d), "+c"(n)
			 : "a"(0x2b2b2b2b2b2b2b2bUL) : "memory");
	s = from;
	d = to;
	n = 64;
	__asm__ volatile("repe cmpsb; sete %0"
			 : "=r"(is_equal), "+S"(s), "+D"(d), "+c"(n)
			 : : "memory", "cc");
	s = from + 10;
	d = to + 20;
	__asm__ volatile("std; movsl; movsb; cld" : "+S"(s), "+D"(d)
			 : : "memory");
	printf("strings %.64s %d %lu\n", to, is_equal, n);
}

static void jumps(void)
{
	static jmp_buf env;
	volatile int n = 0;

	if (setjmp(env) < 5) {
		n++;
		longjmp(env, n);
	}
	printf("jumps %d\n", n);
}

static volatile sig_atomic_t nr_signals;

static void on_signal(int signo)
{
	nr_signals += signo;
}

static atomic_int counter;
static atomic_llong wide_counter;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static long long guarded;

static void *work(void *arg)
{
	for (int i = 0; i < 500; i++) {
		int old = atomic_load(&counter);

		while (!atomic_compare_exchange_weak(&counter, &old, old + 1))
			;
		atomic_fetch_add(&wide_counter, i);
		atomic_exchange((atomic_int *)arg, i);
		per_thread += i;
		pthread_mutex_lock(&lock);
		guarded += per_thread;
		pthread_mutex_unlock(&lock);
	}
	return NULL;
}

static void threads(void)
{
	pthread_t t[3];
	atomic_int last[3] = { 0 };

	for (int i = 0; i < 3; i++)
		pthread_create(&t[i], NULL, work, &last[i]);
	for (int i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
	printf("threads %d %lld %lld %d\n", counter, (long long)wide_counter,
	       guarded, last[0] + last[1] + last[2]);
}

int main(void)
{
	fill();
	arithmetic();
	lists();
	branches();
	stacks(40);
	calls();
	string_instructions();
	jumps();
	signal(SIGUSR1, on_signal);
	raise(SIGUSR1);
	printf("signals %d\n", (int)nr_signals);
	threads();
	return 0;
}
