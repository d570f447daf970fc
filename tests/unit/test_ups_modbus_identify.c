/* SPDX-License-Identifier: Apache-2.0
 *
 * test_ups_modbus_identify.c - what is a text among registers, and what are numbers that only look a little like one.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "identify.h"

static bool is_text(const char *bytes, size_t size)
{
	uint16_t words[32] = {0};

	for (size_t i = 0; i < size; i++)
		words[i / 2] |= (uint16_t)((unsigned char)bytes[i] << (i % 2 == 0 ? 8 : 0));
	return identify_is_text(words, 16);
}

Test(identify, a_name_with_padding_is_a_text)
{
	cr_assert(is_text("Borri", 5));
	cr_assert(is_text("Netminder       ", 16));
	cr_assert(is_text("EON 3000\0\0\0", 11));
	cr_assert(is_text("12345678901234567890123456789012", 32), "without any");
}

Test(identify, numbers_are_no_text)
{
	cr_assert_not(is_text("\0\0\0\0", 4), "nothing but zeros");
	cr_assert_not(is_text("\0\xe6\0\xe6\0\xe6", 6), "230 230 230");
	cr_assert_not(is_text("\xd8\xf1\xd8\xf1", 4), "-9999");
	cr_assert_not(is_text("\xff\xff\xff\xff", 4));
	cr_assert_not(is_text("00\0\0", 4), "12336 could be a number, too");
	cr_assert_not(is_text("                ", 16), "only blanks");
}

Test(identify, what_goes_on_behind_its_end_is_no_text)
{
	cr_assert_not(is_text("UPS\0\0\0\0\1", 8));
	cr_assert_not(is_text("UPS\1", 4));
	cr_assert_not(is_text("UPS\0abc", 7));
}
