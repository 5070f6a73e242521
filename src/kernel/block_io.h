/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Block I/O under way: which request has which page, of which disk, since when.
 *
 * In: a struct page or folio of the page cache, a bio, or a request queue. Out: requests that the
 * driver has been given and has not ended. Of disks with blk-mq queues (all since 5.0) only: what a
 * stacked driver (device-mapper, md) was given is not known here (but see device_mapper.h).
 */
#pragma once

#include "kernel/session.h"

struct io_request {
	uint64_t request;    /* address of its struct request; 0: none was found */
	uint64_t bdev, disk; /* struct block_device, struct gendisk; 0 unknown */
	char disk_name[40];
	char words[160];     /* "sda: write of 4096 bytes at sector 0" */
	uint64_t age_ns;     /* since it was made; 0 unknown */
	uint64_t driver;     /* the function that takes the driver's requests; 0 unknown */
	uint64_t in_flight;  /* requests of that disk under way, this one among them */
	/* The function that takes the bios of a disk without requests (device-mapper, md); 0. */
	uint64_t submit;
};

/*
 * The request that reads or writes the page cache's @page, or, where none is found with it, its
 * disk alone (@io->request is 0). False: not even that is known.
 */
bool block_io_of_page(struct session *s, uint64_t page, struct io_request *io);
/* The same for a struct bio that somebody waits for. Not before 5.12, when bios had a gendisk. */
bool block_io_of_bio(struct session *s, uint64_t bio, struct io_request *io);
/* The same for a page of metadata that no file has, of the struct block_device at @bdev. */
bool block_io_of_device(struct session *s, uint64_t bdev, uint64_t page, struct io_request *io);
/* Of all requests that the request_queue at @queue has under way, the oldest. */
bool block_io_of_queue(struct session *s, uint64_t queue, struct io_request *io);
/* The request_queue that the struct bio at @bio is for; 0: not known. */
uint64_t block_queue_of_bio(struct session *s, uint64_t bio);
/*
 * The request of some other disk that has that page: a stacked driver (device-mapper, md) hands on
 * bios with the same pages. False: none has it, so that it never came there, or is copied first.
 */
bool block_io_below(struct session *s, uint64_t page, struct io_request *io);
/* Is it locked? Who writes it keeps it locked until all of it is on its way. */
bool block_page_is_locked(struct session *s, uint64_t page);
/* Do the page's flags say that it is being written, or read for the first time? */
bool block_page_in_io(struct session *s, uint64_t page);
/*
 * Has one of the bios from struct bio @bio on (linked by bi_next) the page cache's @page, or is one
 * of them @wanted? Those of a stacked driver, which puts them aside, are in no request.
 */
bool block_bios_have_page(struct session *s, uint64_t bio, uint64_t page);
bool block_bios_have_bio(struct session *s, uint64_t bio, uint64_t wanted);
/* The page cache's page that a struct buffer_head is a part of; 0 not known. */
uint64_t block_page_of_buffer(struct session *s, uint64_t buffer);
/* The first page of a struct bio; 0: it has none, or it is not known. */
uint64_t block_page_of_bio(struct session *s, uint64_t bio);
/* The disk of the file system, or of the device, that the page cache's @page is of. */
bool block_disk_of_page(struct session *s, uint64_t page, char *name, size_t size);
/* The inode that the page cache's @page is of; 0: it is of no file, or cannot be read. */
uint64_t block_inode_of_page(struct session *s, uint64_t page);
/* Where the page belongs to: "/var/log/x, page 3"; for a disk's own pages "sda, page 3". */
bool block_page_place(struct session *s, uint64_t page, char *buf, size_t size);
