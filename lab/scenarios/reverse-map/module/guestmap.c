/*
 * A page of words, which a reverse map points to, lies behind a page of messages that somebody writes without looking at its end: the
 * words become text, the same text as the log has. The map's owner then finds a word without its bit. Beside it memory with all kinds of
 * contents, whose kinds and addresses are in the log ("known KIND ADDRESS SIZE"), for the tests of what content looks like.
 */
#include <linux/etherdevice.h>
#include <linux/fs.h>
#include <linux/if_arp.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/poison.h>
#include <linux/random.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/tcp.h>
#include <linux/udp.h>

#include "trigger.h"

#define WORD_PRESENT 1UL
#define LINES 80

struct guest_entry {
	struct list_head link;
	unsigned long *word;
};

struct guest {
	struct list_head entries;
	char *messages;
	size_t used;
	unsigned long *words;
};

static struct guest guest;
static struct kmem_cache *entry_cache, *line_cache;

/* The mistake: no look at how much room there is. */
static noinline void guest_message(struct guest *g, const char *text)
{
	size_t length = strlen(text);

	memcpy(g->messages + g->used, text, length);
	g->messages[g->used + length] = '\n';
	g->used += length + 1;
	pr_info("%s\n", text);
}

static noinline int guestmap_zap(struct guest *g)
{
	struct guest_entry *entry;
	int zapped = 0;

	list_for_each_entry(entry, &g->entries, link) {
		BUG_ON(!(*entry->word & WORD_PRESENT));
		zapped++;
	}
	return zapped;
}

static void *known(const char *kind, void *memory, size_t size)
{
	pr_info("known %s %px %zu\n", kind, memory, size);
	return memory;
}

static u8 *known_page(const char *kind)
{
	return known(kind, (void *)get_zeroed_page(GFP_KERNEL), PAGE_SIZE);
}

static u16 sum_of(const void *data, size_t size, u32 sum)
{
	const u8 *p = data;
	size_t i;

	for (i = 0; i + 1 < size; i += 2)
		sum += p[i] << 8 | p[i + 1];
	if (size & 1)
		sum += p[size - 1] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

static void ethernet(u8 *p, u16 type)
{
	struct ethhdr *eth = (void *)p;

	memcpy(eth->h_dest, "\x52\x54\x00\x12\x34\x56", ETH_ALEN);
	memcpy(eth->h_source, "\x52\x54\x00\xab\xcd\xef", ETH_ALEN);
	eth->h_proto = htons(type);
}

static void make_udp(u8 *p)
{
	static const char payload[] = "what the guest wanted to say";
	struct iphdr *ip = (void *)(p + ETH_HLEN);
	struct udphdr *udp = (void *)(ip + 1);

	ethernet(p, ETH_P_IP);
	ip->version = 4;
	ip->ihl = 5;
	ip->ttl = 64;
	ip->id = htons(4711);
	ip->protocol = IPPROTO_UDP;
	ip->tot_len = htons(sizeof(*ip) + sizeof(*udp) + sizeof(payload));
	ip->saddr = htonl(0x0a000203);
	ip->daddr = htonl(0x0a000202);
	ip->check = htons(sum_of(ip, sizeof(*ip), 0));
	udp->source = htons(40000);
	udp->dest = htons(53);
	udp->len = htons(sizeof(*udp) + sizeof(payload));
	memcpy(udp + 1, payload, sizeof(payload));
	udp->check = htons(sum_of(udp, sizeof(*udp) + sizeof(payload),
				  0x0a00 + 0x0203 + 0x0a00 + 0x0202 + IPPROTO_UDP + sizeof(*udp) + sizeof(payload)));
}

static void make_tcp6(u8 *p)
{
	struct ipv6hdr *ip = (void *)(p + ETH_HLEN);
	struct tcphdr *tcp = (void *)(ip + 1);

	ethernet(p, ETH_P_IPV6);
	ip->version = 6;
	ip->payload_len = htons(sizeof(*tcp));
	ip->nexthdr = IPPROTO_TCP;
	ip->hop_limit = 64;
	memcpy(&ip->saddr, "\xfe\x80\0\0\0\0\0\0\x50\x54\0\xff\xfe\x12\x34\x56", 16);
	memcpy(&ip->daddr, "\xfe\x80\0\0\0\0\0\0\x50\x54\0\xff\xfe\xab\xcd\xef", 16);
	tcp->source = htons(443);
	tcp->dest = htons(50000);
	tcp->seq = htonl(0x12345678);
	tcp->doff = 5;
	tcp->syn = 1;
	tcp->window = htons(65000);
	tcp->check = htons(sum_of(tcp, sizeof(*tcp), (u16)~sum_of(&ip->saddr, 32, IPPROTO_TCP + sizeof(*tcp))));
}

static void make_arp(u8 *p)
{
	static const u8 request[] = { 0, 1, 8, 0, 6, 4, 0, 1, 0x52, 0x54, 0, 0xab, 0xcd, 0xef, 10, 0, 2, 3, 0, 0, 0, 0, 0, 0, 10, 0, 2, 2 };

	ethernet(p, ETH_P_ARP);
	memcpy(p + ETH_HLEN, request, sizeof(request));
}

static void make_words(void)
{
	static void *const functions[] = { schedule, kernel_read, _printk, kfree, filp_open };
	unsigned long *p, i;
	unsigned int level;
	struct {
		u64 id;
		struct list_head link;
		u32 state, flags;
		void *owner;
	} *record;

	p = (void *)known_page("text-pointers");
	for (i = 0; i < 512; i++)
		p[i] = (unsigned long)functions[i % ARRAY_SIZE(functions)];
	p = (void *)known_page("slab-pointers");
	for (i = 0; i < 512; i++)
		p[i] = (unsigned long)kmem_cache_alloc(entry_cache, GFP_KERNEL);
	p = known("page-table", lookup_address((unsigned long)&guest, &level), 8);
	record = (void *)known_page("records");
	for (i = 0; i < 4096 / sizeof(*record); i++) {
		record[i].id = 1000 + i;
		INIT_LIST_HEAD(&record[i].link);
		record[i].state = i % 3;
		record[i].flags = 0x80;
		record[i].owner = current;
	}
	p = known("list-poison", kzalloc(64, GFP_KERNEL), 64);
	p[2] = (unsigned long)LIST_POISON1;
	p[3] = (unsigned long)LIST_POISON2;
}

static void make_bytes(void)
{
	static const char wide[] = "The name of the guest, as its firmware stores it in a variable";
	struct file *file;
	loff_t pos = 0;
	u8 *p;
	size_t i;

	known_page("zero");
	memset(known_page("ones"), 0xff, PAGE_SIZE);
	memset(known_page("freed"), POISON_FREE, PAGE_SIZE);
	get_random_bytes(known_page("random"), PAGE_SIZE);
	memcpy(known_page("code"), schedule, PAGE_SIZE);
	p = known_page("utf-16");
	for (i = 0; i < sizeof(wide) - 1; i++)
		p[1024 + 2 * i] = wide[i];
	file = filp_open("/bin/busybox", O_RDONLY, 0);
	p = known_page("elf");
	if (!IS_ERR(file))
		kernel_read(file, p, PAGE_SIZE, &pos);
	make_udp(known("udp", kzalloc(2048, GFP_KERNEL), 2048) + 64);
	make_tcp6(known("tcp6", kzalloc(2048, GFP_KERNEL), 2048) + 64);
	make_arp(known("arp", kzalloc(2048, GFP_KERNEL), 2048) + 64);
	p = known_page("mixed");
	for (i = 0; i < 1024; i++)
		p[i] = "some words of a text that goes on and on, "[i % 42];
	get_random_bytes(p + 2048, 1024);
	for (i = 3072; i < 4096; i += 8)
		*(void **)(p + i) = p;
}

/* The same mistake between two objects of a slab. */
static void overflow_in_slab(void)
{
	char *lines[8], *from = NULL, *to = NULL;
	int i, k;

	for (i = 0; i < 8; i++) {
		lines[i] = kmem_cache_zalloc(line_cache, GFP_KERNEL);
		for (k = 0; k < i; k++) {
			if (lines[i] - lines[k] == 192 || lines[k] - lines[i] == 192) {
				from = min(lines[i], lines[k]);
				to = max(lines[i], lines[k]);
			}
		}
	}
	if (!from)
		return;
	known("overflowing", from, 192);
	known("overflowed", to, 192);
	for (i = 0; i < 240; i++)
		from[16 + i] = "a line that is much longer than its owner thought; "[i % 51];
}

static void make_map(void)
{
	struct page *pages = alloc_pages(GFP_KERNEL | __GFP_ZERO, 1);
	int i;

	split_page(pages, 1);
	guest.messages = known("messages", page_address(pages), PAGE_SIZE);
	guest.words = known("words", guest.messages + PAGE_SIZE, PAGE_SIZE);
	INIT_LIST_HEAD(&guest.entries);
	for (i = 0; i < 512; i++) {
		struct guest_entry *entry = kmem_cache_alloc(entry_cache, GFP_KERNEL);

		guest.words[i] = (0x100000UL + i) << PAGE_SHIFT | WORD_PRESENT;
		entry->word = &guest.words[i];
		list_add_tail(&entry->link, &guest.entries);
	}
	known("guest", &guest, sizeof(guest));
}

static void die(void)
{
	char text[96];
	int i;

	/* Caches of their own: with a constructor or a window for user copies nothing is merged. */
	entry_cache = kmem_cache_create_usercopy("guestmap_entry", sizeof(struct guest_entry), 0, 0, 0, 8, NULL);
	line_cache = kmem_cache_create_usercopy("guestmap_line", 192, 64, 0, 0, 8, NULL);
	make_map();
	make_bytes();
	make_words();
	overflow_in_slab();
	for (i = 0; i < LINES; i++) {
		snprintf(text, sizeof(text), "guest [%d]: cpu%d ignored a write of 0x%x to port 0x%x, as it must be", 26000 + i, i % 4, i * 77, 0x1a2 + i);
		guest_message(&guest, text);
	}
	pr_info("zapped %d\n", guestmap_zap(&guest));
}

TRIGGER(die, "lab: text runs over a table of words");
