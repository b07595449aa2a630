/** Codes of refusals beside those of nackCodes, as docs/MESSAGING.md lists them. From 1 to 99 it may be asked another time. */
export const envelopeCodes = {
  queue_full: 80, rate: 81, try_later: 82, full_room: 83,
  malformed: 1010, forbidden: 1011, too_large: 1012, too_late: 1013, too_many: 1014, not_member: 1015, no_question: 1016,
} as const;
