// SPDX-License-Identifier: LGPL-2.1-or-later
/* Members looked up once; see field.h. */
#include "kernel/field.h"

#include "base/bytes.h"

struct field field_find(struct session *s, const char *struct_name, const char *path)
{
	struct member member;

	if (!types_member(s->types, struct_name, path, &member) || member.bit_size)
		return (struct field){ 0 };
	if (member.size != 1 && member.size != 2 && member.size != 4 && member.size != 8)
		return (struct field){ .offset = member.offset };
	return (struct field){
		.offset = member.offset,
		.size = (uint8_t)member.size,
		.is_signed = type_is_signed(type_strip(member.type)),
		.known = true,
	};
}

bool field_of_bytes(const uint8_t *bytes, size_t size, const struct field *field, uint64_t *value)
{
	*value = 0;
	if (!field->known || !range_fits(field->offset, field->size, size))
		return false;
	const uint8_t *p = bytes + field->offset;
	switch (field->size) {
	case 1:
		*value = field->is_signed ? (uint64_t)(int8_t)*p : *p;
		break;
	case 2:
		*value = field->is_signed ? (uint64_t)(int16_t)load_u16(p) : load_u16(p);
		break;
	case 4:
		*value = field->is_signed ? (uint64_t)(int32_t)load_u32(p) : load_u32(p);
		break;
	default:
		*value = load_u64(p);
		break;
	}
	return true;
}

bool field_read(struct session *s, uint64_t address, const struct field *field, uint64_t *value)
{
	uint8_t bytes[8];
	struct field here = *field;

	*value = 0;
	if (!field->known ||
	    memory_read(s->memory, address + field->offset, bytes, field->size) != READ_OK)
		return false;
	here.offset = 0;
	return field_of_bytes(bytes, sizeof(bytes), &here, value);
}
