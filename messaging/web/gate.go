package web

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"net/netip"
	"strings"

	"github.com/stormwheel/stormwheel/internal/loopback"
)

// gate knows who may ask: who shows a token, or, where there is none, who is on this machine.
type gate struct {
	tokens [][sha256.Size]byte // digests: they have one length, so that a comparison tells nothing of it
}

func newGate(tokens [][]byte) (g gate) {
	for _, token := range tokens {
		g.tokens = append(g.tokens, sha256.Sum256(token))
	}
	return g
}

func (g *gate) admit(r *http.Request) *Error {
	switch {
	case len(g.tokens) > 0 && !g.knows(r.Header.Get("Authorization")):
		return failure(codeUnauthorized, "The header Authorization: Bearer with a token of the node's is needed.")
	case len(g.tokens) == 0 && !(isNear(r.RemoteAddr) && loopback.Host(r.Host) && !isForwarded(r.Header)):
		return failure(codeForbidden, "Without a token this is for the machine itself: ask there, by localhost or a loopback address.")
	}
	return nil
}

// knows takes the same time whichever token is right.
func (g *gate) knows(header string) bool {
	scheme, given, _ := strings.Cut(header, " ")
	sum := sha256.Sum256([]byte(given))
	known := 0
	for i := range g.tokens {
		known |= subtle.ConstantTimeCompare(sum[:], g.tokens[i][:])
	}
	return strings.EqualFold(scheme, "Bearer") && given != "" && known == 1
}

// isForwarded says whether a proxy, which may be on this machine, says that it asks for another.
func isForwarded(h http.Header) bool {
	return h.Get("X-Forwarded-For") != "" || h.Get("Forwarded") != ""
}

// isNear says whether a connection's far end is on this machine.
func isNear(remote string) bool {
	addr, err := netip.ParseAddrPort(remote)
	return remote == "@" || err == nil && addr.Addr().Unmap().IsLoopback() // "@" is that of a unix socket
}
