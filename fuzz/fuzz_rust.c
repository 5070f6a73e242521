// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Rust's symbol names: any text, as it is and behind "_R" and "_ZN". What is refused adds nothing,
 * and nothing grows without bound.
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/strbuf.h"
#include "symbols/rust_name.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_name(const char *name)
{
	auto_strbuf out = { 0 };

	strbuf_add(&out, "before");
	bool good = rust_name(name, &out);
	if (memcmp(strbuf_text(&out), "before", 6) != 0 || (!good && out.len != 6) ||
	    out.len > (1 << 16) + 4096 + strlen(name))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > 4096)
		return 0;
	auto_free char *plain = xstrndup((const char *)data, size);
	auto_free char *v0 = xasprintf("_R%s", plain);
	auto_free char *legacy = xasprintf("_ZN%s", plain);
	try_name(plain);
	try_name(v0);
	try_name(legacy);
	return 0;
}
