// Package proxy is the PROXY protocol, versions 1 and 2: the header with which a balancer says for
// whom it connects. Parse and the two Append functions are pure; Sender is a client's stage that
// says one before everything else. Who may be believed, and how long a header may take, is not for
// it to decide.
//
// The specification: https://www.haproxy.org/download/2.6/doc/proxy-protocol.txt
package proxy
