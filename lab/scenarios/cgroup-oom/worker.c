/* Takes memory until there is none. */
#include <stdlib.h>
#include <string.h>

int main(void)
{
	enum { PIECE = 4 << 20 };

	for (;;) {
		char *piece = malloc(PIECE);

		if (piece)
			memset(piece, 'x', PIECE);
	}
}
