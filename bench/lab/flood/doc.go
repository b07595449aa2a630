// Package flood is what measurements of messages to very many sessions share: a loop of bare gnet to
// compare with, the clients at the other ends, and probes beside them. It knows no section.
package flood
