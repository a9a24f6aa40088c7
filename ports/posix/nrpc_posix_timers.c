/* ports/posix/nrpc_posix_timers.c - when which link is due: a wheel, so that nobody asks them all.
 * Layer: port. Source: none.
 * SPDX-License-Identifier: Apache-2.0 */
#include "ports/posix/nrpc_posix_port.h"

/* The near ones have a list for each millisecond, the others one for each NEAR of them: from there
 * they come near when it is time, and what is further away than FAR lists reach goes around. */
enum { NEAR = 1024, FAR = 1024, LISTS = 2 + NEAR + FAR };
enum { FREE = NRPC_POSIX_LINKS, LINGER, NEAR_LISTS, FAR_LISTS = NEAR_LISTS + NEAR };

NRPC_STATIC_ASSERT(NEAR > (int)NRPC_POSIX_TICK_MS, "a tick is near");

/* Rings: the links, then the heads of the lists. */
static struct {
    uint32_t next, previous;
} nodes[NRPC_POSIX_LINKS + LISTS];
static uint32_t at; /* the millisecond up to which all is done */

static uint32_t number_of(const struct nrpc_posix_link *link)
{
    return (uint32_t)(link - nrpc_posix_links);
}

static uint32_t near_list(uint32_t ms)
{
    return NEAR_LISTS + ms % NEAR;
}

static uint32_t far_list(uint32_t ms)
{
    return FAR_LISTS + ms / NEAR % FAR;
}

static void take_out(uint32_t node)
{
    nodes[nodes[node].previous].next = nodes[node].next;
    nodes[nodes[node].next].previous = nodes[node].previous;
    nodes[node].next = nodes[node].previous = node;
}

/* Before a head: as the last one. */
static void put_before(uint32_t node, uint32_t before)
{
    take_out(node);
    nodes[node].next = before;
    nodes[node].previous = nodes[before].previous;
    nodes[nodes[before].previous].next = node;
    nodes[before].previous = node;
}

static int is_empty(uint32_t list)
{
    return nodes[list].next == list;
}

void nrpc_posix_timers_init(void)
{
    for (uint32_t i = 0; i < NRPC_POSIX_LINKS + LISTS; i++)
        nodes[i].next = nodes[i].previous = i;
    for (uint32_t i = 0; i < NRPC_POSIX_LINKS; i++)
        put_before(i, FREE);
    at = nrpc_posix.now_ms;
    nrpc_posix.tick_ms = at + NRPC_POSIX_TICK_MS;
}

static void look_at(uint32_t ms)
{
    if (nrpc_posix_before(ms, nrpc_posix.tick_ms))
        nrpc_posix.tick_ms = ms;
}

void nrpc_posix_timer_set(struct nrpc_posix_link *link, uint32_t due)
{
    link->due = nrpc_posix_before(at, due) ? due : at + 1;
    if (link->due - at < NEAR) {
        put_before(number_of(link), near_list(link->due));
        look_at(link->due);
    } else {
        uint32_t most = at + (FAR - 1) * NEAR;

        put_before(number_of(link),
                   far_list(nrpc_posix_before(link->due, most) ? link->due : most));
    }
}

void nrpc_posix_timer_linger(struct nrpc_posix_link *link)
{
    link->due = nrpc_posix.now_ms + NRPC_POSIX_LINGER_MS;
    put_before(number_of(link), LINGER);
    look_at(link->due);
}

struct nrpc_posix_link *nrpc_posix_timer_lingers(void)
{
    return is_empty(LINGER) ? NULL : &nrpc_posix_links[nodes[LINGER].next];
}

/* Those of the next NEAR milliseconds, this one included. */
static void come_near(void)
{
    uint32_t list = far_list(at);

    while (!is_empty(list)) {
        struct nrpc_posix_link *link = &nrpc_posix_links[nodes[list].next];

        if (link->due - at < NEAR)
            put_before(nodes[list].next, near_list(link->due));
        else
            nrpc_posix_timer_set(link, link->due);
    }
}

/* When there is something to do, a tick from now at most. */
static void look_ahead(void)
{
    const struct nrpc_posix_link *lingers = nrpc_posix_timer_lingers();

    nrpc_posix.tick_ms = at + 1;
    while (nrpc_posix.tick_ms - at < NRPC_POSIX_TICK_MS && nrpc_posix.tick_ms % NEAR &&
           is_empty(near_list(nrpc_posix.tick_ms)))
        nrpc_posix.tick_ms++;
    if (lingers)
        look_at(lingers->due);
}

struct nrpc_posix_link *nrpc_posix_timer_next(void)
{
    struct nrpc_posix_link *lingers = nrpc_posix_timer_lingers();

    if (lingers && !nrpc_posix_before(nrpc_posix.now_ms, lingers->due))
        return lingers;
    for (;;) {
        uint32_t list = near_list(at);

        if (!is_empty(list)) {
            uint32_t number = nodes[list].next;

            take_out(number);
            return &nrpc_posix_links[number];
        }
        if (!nrpc_posix_before(at, nrpc_posix.now_ms)) {
            look_ahead();
            return NULL;
        }
        if (++at % NEAR == 0)
            come_near();
    }
}

void nrpc_posix_timer_free(struct nrpc_posix_link *link)
{
    /* As the first one: memory that has been used is used again. */
    put_before(number_of(link), nodes[FREE].next);
}

struct nrpc_posix_link *nrpc_posix_timer_new(void)
{
    uint32_t number = nodes[FREE].next;

    if (number == FREE)
        return NULL;
    take_out(number);
    return &nrpc_posix_links[number];
}
