/** Ends each record where they follow each other in one text: no character of JSON (RFC 7464). */
export const RECORD_END = '\u001e';
