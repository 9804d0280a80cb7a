#include "tests/proto/rpc_fixture.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

static struct rpc_fixture fixture;

static int open_loop(void **state)
{
    (void)state;
    fixture_open_loop(&fixture);
    return 0;
}

static int close_loop(void **state)
{
    (void)state;
    if (fixture.loop != NULL)
        rpc_loop_close(fixture.loop);
    return 0;
}

/* --- posts */

enum { POSTERS = 4, POSTS_EACH = 5000 };

struct poster {
    struct rpc_loop *loop;
    uint32_t next[POSTERS]; /* of each poster: the number expected now; the loop's thread alone */
    uint32_t wrong;
    uint32_t total;
};

struct posted {
    struct poster *to;
    uint32_t from;
    uint32_t number;
};

static struct poster poster;

static void count_posted(void *context)
{
    struct posted *posted = context;
    struct poster *to = posted->to;
    if (to->next[posted->from] != posted->number)
        to->wrong++;
    to->next[posted->from] = posted->number + 1;
    if (++to->total == POSTERS * POSTS_EACH)
        rpc_loop_stop(to->loop);
    free(posted);
}

static void *post_many(void *argument)
{
    uint32_t from = *(const uint32_t *)argument;
    for (uint32_t i = 0; i < POSTS_EACH; i++) {
        struct posted *posted = malloc(sizeof *posted);
        if (posted == NULL)
            abort();
        *posted = (struct posted){&poster, from, i};
        if (rpc_loop_post(poster.loop, count_posted, posted) != STATUS_OK)
            abort();
    }
    return NULL;
}

static void posts_of_other_threads_run_once_each_and_in_order(void **state)
{
    (void)state;
    pthread_t threads[POSTERS];
    uint32_t numbers[POSTERS];
    poster = (struct poster){.loop = fixture.loop};
    for (uint32_t i = 0; i < POSTERS; i++) {
        numbers[i] = i;
        assert_int_equal(pthread_create(&threads[i], NULL, post_many, &numbers[i]), 0);
    }
    rpc_loop_run_for(fixture.loop, WAIT_MS);
    for (uint32_t i = 0; i < POSTERS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(poster.total, POSTERS * POSTS_EACH);
    assert_int_equal(poster.wrong, 0);
}

static void add_one(void *context)
{
    ++*(uint64_t *)context;
}

static void what_was_posted_before_a_stop_still_runs(void **state)
{
    (void)state;
    uint64_t ran = 0;
    for (int i = 0; i < 100; i++)
        assert_ok(rpc_loop_post(fixture.loop, add_one, &ran));
    rpc_loop_stop(fixture.loop);
    rpc_loop_run(fixture.loop);
    assert_int_equal(ran, 100);
}

static void what_was_never_run_runs_at_close(void **state)
{
    (void)state;
    uint64_t ran = 0;
    assert_ok(rpc_loop_post(fixture.loop, add_one, &ran));
    rpc_loop_close(fixture.loop);
    fixture.loop = NULL;
    assert_int_equal(ran, 1);
}

static void a_stop_before_the_run_is_not_lost(void **state)
{
    (void)state;
    rpc_loop_stop(fixture.loop);
    rpc_loop_run(fixture.loop); /* would hang */
    uint64_t ran = 0;
    assert_ok(rpc_loop_post(fixture.loop, add_one, &ran));
    rpc_loop_run_for(fixture.loop, 20); /* and it ends one run only */
    assert_int_equal(ran, 1);
}

static void a_flood_of_posts_is_refused_at_its_limit(void **state)
{
    (void)state;
    uint64_t ran = 0;
    uint64_t taken = 0;
    while (taken < 1000000 && rpc_loop_post(fixture.loop, add_one, &ran) == STATUS_OK)
        taken++;
    assert_int_equal(taken, 65536); /* RPC_POSTS_MAX */
    for (int i = 0; i < WAIT_MS / 10 && ran < taken; i++)
        rpc_loop_run_for(fixture.loop, 10);
    assert_int_equal(ran, taken);
    assert_ok(rpc_loop_post(fixture.loop, add_one, &ran));
    rpc_loop_run_for(fixture.loop, 10);
}

/* --- timers */

struct ringing {
    struct rpc_timer timer;
    char *order;
    char mark;
    int again; /* restarts left */
};

static void ring(void *context)
{
    struct ringing *ringing = context;
    size_t length = strlen(ringing->order);
    ringing->order[length] = ringing->mark;
    ringing->order[length + 1] = '\0';
    if (ringing->again-- > 0)
        rpc_timer_start(fixture.loop, &ringing->timer, 0, ring, ringing);
}

static void timers_ring_in_the_order_of_their_times(void **state)
{
    (void)state;
    char order[16] = "";
    struct ringing a = {.order = order, .mark = 'a'};
    struct ringing b = {.order = order, .mark = 'b'};
    struct ringing c = {.order = order, .mark = 'c'};
    struct ringing d = {.order = order, .mark = 'd'};
    rpc_timer_start(fixture.loop, &c.timer, 60, ring, &c);
    rpc_timer_start(fixture.loop, &a.timer, 10, ring, &a);
    rpc_timer_start(fixture.loop, &d.timer, 5, ring, &d);
    rpc_timer_start(fixture.loop, &b.timer, 90, ring, &b);
    rpc_timer_start(fixture.loop, &b.timer, 30, ring, &b); /* moved */
    rpc_timer_stop(&d.timer);
    rpc_timer_stop(&d.timer); /* twice is fine */
    rpc_loop_run_for(fixture.loop, 200);
    assert_string_equal(order, "abc");
}

static void a_timer_that_restarts_at_once_starves_nobody(void **state)
{
    (void)state;
    static char order[8192];
    uint64_t ran = 0;
    order[0] = '\0';
    struct ringing busy = {.order = order, .mark = 'x', .again = 4000};
    rpc_timer_start(fixture.loop, &busy.timer, 0, ring, &busy);
    assert_ok(rpc_loop_post(fixture.loop, add_one, &ran));
    for (int i = 0; i < WAIT_MS / 10 && strlen(order) < 4001; i++)
        rpc_loop_run_for(fixture.loop, 10);
    assert_int_equal(strlen(order), 4001);
    assert_int_equal(ran, 1);
}

/* --- signals */

static void on_signal(void *context)
{
    add_one(context);
    rpc_loop_stop(fixture.loop);
}

static void a_signal_is_work_on_the_loop(void **state)
{
    (void)state;
    uint64_t seen = 0;
    rpc_loop_stop_on_signals(fixture.loop, on_signal, &seen);
    assert_int_equal(kill(getpid(), SIGTERM), 0);
    rpc_loop_run_for(fixture.loop, WAIT_MS);
    assert_int_equal(seen, 1);
    assert_int_equal(kill(getpid(), SIGINT), 0);
    rpc_loop_run_for(fixture.loop, WAIT_MS);
    assert_int_equal(seen, 2);
}

static void a_signal_stops_the_loop_by_default(void **state)
{
    (void)state;
    rpc_loop_stop_on_signals(fixture.loop, NULL, NULL);
    assert_int_equal(kill(getpid(), SIGTERM), 0);
    rpc_loop_run(fixture.loop); /* would hang */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(posts_of_other_threads_run_once_each_and_in_order,
                                        open_loop, close_loop),
        cmocka_unit_test_setup_teardown(what_was_posted_before_a_stop_still_runs, open_loop,
                                        close_loop),
        cmocka_unit_test_setup_teardown(what_was_never_run_runs_at_close, open_loop, close_loop),
        cmocka_unit_test_setup_teardown(a_stop_before_the_run_is_not_lost, open_loop, close_loop),
        cmocka_unit_test_setup_teardown(a_flood_of_posts_is_refused_at_its_limit, open_loop,
                                        close_loop),
        cmocka_unit_test_setup_teardown(timers_ring_in_the_order_of_their_times, open_loop,
                                        close_loop),
        cmocka_unit_test_setup_teardown(a_timer_that_restarts_at_once_starves_nobody, open_loop,
                                        close_loop),
        cmocka_unit_test_setup_teardown(a_signal_is_work_on_the_loop, open_loop, close_loop),
        cmocka_unit_test_setup_teardown(a_signal_stops_the_loop_by_default, open_loop, close_loop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
