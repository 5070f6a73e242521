// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Network packets: Ethernet with IPv4, IPv6 or ARP behind it, and IP alone.
 *
 * Four bytes of a version and a length are found anywhere, so an IPv4 header counts only with its
 * checksum right, an IPv6 header only with a transport header whose checksum is right; behind an
 * Ethernet header less is asked, as its type field and the lengths must fit too. What is wrong is
 * then told: a packet that was damaged, or one whose checksum the card was to fill in.
 *
 * Sources: RFC 791, 8200, 768, 9293, 826; IEEE 802.3, 802.1Q.
 */
#include <stdio.h>

#include "forensics/content_part.h"

enum {
	ETHER_SIZE = 14, VLAN_SIZE = 4, ARP_SIZE = 28, IP4_SIZE = 20, IP6_SIZE = 40,
	ETHERTYPE_IP4 = 0x0800, ETHERTYPE_ARP = 0x0806, ETHERTYPE_VLAN = 0x8100,
	ETHERTYPE_IP6 = 0x86dd,
	PROTO_ICMP = 1, PROTO_TCP = 6, PROTO_UDP = 17, PROTO_ICMP6 = 58,
};

enum check { CHECK_UNKNOWN, CHECK_RIGHT, CHECK_WRONG };

struct packet {
	size_t size;         /* of all that the lengths in it speak of */
	enum check transport;
	bool length_fits;    /* the lengths of the layers agree */
	char text[200];
};

static uint16_t big16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

/* The Internet checksum's sum: 0xffff over bytes that hold a right one. */
static uint32_t add_words(const uint8_t *p, size_t size, uint32_t sum)
{
	for (size_t i = 0; i + 1 < size; i += 2)
		sum += big16(p + i);
	if (size % 2)
		sum += (uint32_t)p[size - 1] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static void format_ip6(const uint8_t *p, char *buf, size_t size)
{
	size_t n = 0;
	int gap = -1, gap_size = 1;

	/* The longest run of zeroes, two groups at least, becomes "::" (RFC 5952). */
	for (int i = 0; i < 8; i++) {
		int k = i;
		while (k < 8 && !big16(p + 2 * k))
			k++;
		if (k - i > gap_size) {
			gap = i;
			gap_size = k - i;
		}
	}
	for (int i = 0; i < 8 && n < size; i++) {
		if (i == gap) {
			n += (size_t)snprintf(buf + n, size - n, "%s", i ? ":" : "::");
			i += gap_size - 1;
			continue;
		}
		n += (size_t)snprintf(buf + n, size - n, "%x%s", big16(p + 2 * i),
				      i < 7 ? ":" : "");
	}
}

static const char *proto_name(uint8_t proto)
{
	switch (proto) {
	case PROTO_ICMP:
		return "ICMP";
	case PROTO_TCP:
		return "TCP";
	case PROTO_UDP:
		return "UDP";
	case PROTO_ICMP6:
		return "ICMPv6";
	default:
		return "protocol";
	}
}

static void add_check(struct packet *packet, const char *name)
{
	size_t n = strlen(packet->text);

	if (packet->transport == CHECK_WRONG)
		snprintf(packet->text + n, sizeof(packet->text) - n,
			 ", %s checksum wrong or left to the card", name);
}

/*
 * The transport header at @p: @there bytes of its @size are there; @pseudo is the sum of the
 * pseudo header.
 */
static bool transport(const uint8_t *p, size_t size, size_t there, uint8_t proto, uint32_t pseudo,
		      struct packet *packet)
{
	size_t n = strlen(packet->text), room = sizeof(packet->text) - n;
	const char *name = proto_name(proto);
	bool whole = there >= size;

	if (proto == PROTO_UDP) {
		if (there < 8)
			return true;
		if (big16(p + 4) < 8 || big16(p + 4) > size)
			return false;
		packet->length_fits = big16(p + 4) == size;
		snprintf(packet->text + n, room, ", UDP port %u to %u, %zu bytes", big16(p),
			 big16(p + 2), size - 8);
		if (!big16(p + 6))
			return true; /* none was made */
	} else if (proto == PROTO_TCP) {
		if (there < 20)
			return true;
		size_t header = (size_t)(p[12] >> 4) * 4;
		if (header < 20 || header > size || p[12] & 0x0e)
			return false;
		packet->length_fits = true;
		snprintf(packet->text + n, room, ", TCP port %u to %u%s%s%s%s, %zu bytes",
			 big16(p), big16(p + 2), p[13] & 2 ? " SYN" : "", p[13] & 0x10 ? " ACK" : "",
			 p[13] & 1 ? " FIN" : "", p[13] & 4 ? " RST" : "", size - header);
	} else if (proto == PROTO_ICMP6 || proto == PROTO_ICMP) {
		if (there < 4)
			return true;
		pseudo = proto == PROTO_ICMP ? 0 : pseudo;
		snprintf(packet->text + n, room, ", %s type %u code %u", name, p[0], p[1]);
	} else {
		snprintf(packet->text + n, room, ", protocol %u", proto);
		return true;
	}
	if (whole)
		packet->transport = add_words(p, size, pseudo) == 0xffff ? CHECK_RIGHT
									 : CHECK_WRONG;
	add_check(packet, name);
	return true;
}

static bool ip4(const uint8_t *p, size_t there, bool framed, struct packet *packet)
{
	if (there < IP4_SIZE || p[0] >> 4 != 4)
		return false;
	size_t header = (size_t)(p[0] & 15) * 4, size = big16(p + 2);
	if (header < IP4_SIZE || header > there || size < header || !p[8])
		return false;
	bool right = add_words(p, header, 0) == 0xffff;
	/* Zeroes sum up to nothing, and 0xffff can come of little. */
	if (!right && !framed)
		return false;
	uint8_t proto = p[9];
	bool fragment = big16(p + 6) & 0x1fff;
	packet->size = size;
	snprintf(packet->text, sizeof(packet->text),
		 "IPv4 %u.%u.%u.%u to %u.%u.%u.%u%s%s", p[12], p[13], p[14], p[15], p[16], p[17],
		 p[18], p[19], right ? "" : ", header checksum WRONG",
		 fragment ? ", a later fragment" : "");
	if (fragment)
		return true;
	uint32_t pseudo = add_words(p + 12, 8, (uint32_t)(proto + size - header));
	return transport(p + header, size - header, there - header, proto, pseudo, packet);
}

static bool ip6(const uint8_t *p, size_t there, bool framed, struct packet *packet)
{
	char from[48], to[48];

	if (there < IP6_SIZE || p[0] >> 4 != 6 || !p[7])
		return false;
	size_t size = big16(p + 4);
	/* A multicast address cannot send. */
	if (p[8] == 0xff)
		return false;
	format_ip6(p + 8, from, sizeof(from));
	format_ip6(p + 24, to, sizeof(to));
	packet->size = IP6_SIZE + size;
	snprintf(packet->text, sizeof(packet->text), "IPv6 %s to %s", from, to);
	uint32_t pseudo = add_words(p + 8, 32, (uint32_t)(p[6] + size));
	if (!transport(p + IP6_SIZE, size, there - IP6_SIZE, p[6], pseudo, packet))
		return false;
	return framed || packet->transport == CHECK_RIGHT;
}

static bool arp(const uint8_t *p, size_t there, struct packet *packet)
{
	/* Ethernet and IPv4, the only kind there is. */
	static const uint8_t start[] = { 0, 1, 8, 0, 6, 4, 0 };

	if (there < ARP_SIZE || memcmp(p, start, sizeof(start)) != 0 || p[7] < 1 || p[7] > 2)
		return false;
	packet->size = ARP_SIZE;
	snprintf(packet->text, sizeof(packet->text), "ARP %s: %u.%u.%u.%u to %u.%u.%u.%u",
		 p[7] == 1 ? "request" : "reply", p[14], p[15], p[16], p[17], p[24], p[25], p[26],
		 p[27]);
	return true;
}

static size_t ethernet(const struct content_view *v, size_t at, struct content_run *run)
{
	const uint8_t *p = v->bytes + at;
	size_t there = v->size - at, header = ETHER_SIZE;
	struct packet packet = { 0 };
	bool found;

	if (there < ETHER_SIZE + VLAN_SIZE)
		return 0;
	uint16_t type = big16(p + 12);
	if (type == ETHERTYPE_VLAN) {
		type = big16(p + 16);
		header += VLAN_SIZE;
	}
	/* Who sends is no group. */
	if (p[6] & 1)
		return 0;
	const uint8_t *payload = p + header;
	there = there > header ? there - header : 0;
	if (type == ETHERTYPE_IP4)
		found = ip4(payload, there, true, &packet);
	else if (type == ETHERTYPE_IP6)
		found = ip6(payload, there, true, &packet) &&
			(packet.transport == CHECK_RIGHT || packet.length_fits);
	else
		found = type == ETHERTYPE_ARP && arp(payload, there, &packet);
	if (!found)
		return 0;
	run->kind = CONTENT_PACKET;
	snprintf(run->text, sizeof(run->text),
		 "Ethernet %02x:%02x:%02x:%02x:%02x:%02x to %02x:%02x:%02x:%02x:%02x:%02x%s, %s",
		 p[6], p[7], p[8], p[9], p[10], p[11], p[0], p[1], p[2], p[3], p[4], p[5],
		 header > ETHER_SIZE ? ", VLAN" : "", packet.text);
	return header + packet.size;
}

size_t content_packet(const struct content_view *v, size_t at, struct content_run *run)
{
	const uint8_t *p = v->bytes + at;
	struct packet packet = { 0 };

	/* Headers lie at even addresses; the network station aligns the IP header to 4 or 2. */
	if ((v->address + at) % 2 || v->size - at < IP4_SIZE)
		return 0;
	if (p[12] == 0x08 || p[12] == 0x86 || p[12] == 0x81) {
		size_t size = ethernet(v, at, run);
		if (size)
			return size;
	}
	bool found = (p[0] >> 4 == 4 && p[0] >= 0x45 && ip4(p, v->size - at, false, &packet)) ||
		     (p[0] >> 4 == 6 && ip6(p, v->size - at, false, &packet));
	if (!found || (packet.transport != CHECK_RIGHT && !packet.length_fits))
		return 0;
	run->kind = CONTENT_PACKET;
	snprintf(run->text, sizeof(run->text), "%s", packet.text);
	return packet.size;
}
