/* Two threads that lock two mutexes in the wrong order. */
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

static pthread_mutex_t apples = PTHREAD_MUTEX_INITIALIZER, pears = PTHREAD_MUTEX_INITIALIZER;

static void take(pthread_mutex_t *a, pthread_mutex_t *b)
{
	pthread_mutex_lock(a);
	usleep(300000);
	pthread_mutex_lock(b);
}

static void *other(void *unused)
{
	(void)unused;
	take(&pears, &apples);
	return NULL;
}

int main(void)
{
	pthread_t thread;

	printf("known apples %p pears %p\n", (void *)&apples, (void *)&pears);
	fflush(stdout);
	pthread_create(&thread, NULL, other, NULL);
	take(&apples, &pears);
	return 0;
}
