// SPDX-License-Identifier: LGPL-2.1-or-later
/* A command's document inside another one: it is filled where the outer one is open. */
#include "commands/embed.h"

#include "commands/command.h"

void embed_command(struct session *session, struct doc *doc, const char *heading, const char *line)
{
	struct doc_remark *remarks = doc->remarks, **end = doc->remarks_end;
	bool incomplete = doc->incomplete;

	if (!(doc->media & DOC_IN_HTML))
		return;
	doc_record(doc, NULL, heading);
	doc_only_in(doc, DOC_IN_HTML);
	/* Commands that go back to the root must not leave it. */
	struct doc_node *node = doc->current, *root = doc->root;
	doc->root = node;
	doc->remarks = NULL;
	doc->remarks_end = &doc->remarks;
	struct error *error = command_run(session, line, doc);
	/* It may have left early, with nodes open. */
	doc->current = node;
	doc->root = root;
	for (const struct doc_remark *r = doc->remarks; r; r = r->next)
		doc_textf(doc, STYLE_FAINT, "%s", r->text);
	if (error)
		doc_textf(doc, STYLE_FAINT, "%s", error->message);
	error_free(error);
	doc->remarks = remarks;
	doc->remarks_end = remarks ? end : &doc->remarks;
	doc->incomplete = incomplete;
	doc_end(doc);
}
