// Package foreign lets clients that are links of ours talk to servers that speak another protocol:
// a Translator turns the frames of a link into what such a server takes, and back.
//
// A new protocol is a file with its translator, a name in Protocols and a case in New. On a
// heartbeat a translator allocates nothing.
package foreign
