package reactor

import (
	"errors"

	"github.com/stormwheel/stormwheel/codec"
)

// Reason says why a connection ended. Every connection ends with exactly one, counted
// in Counters.Closes.
type Reason uint8

// The reasons. Those with a GOAWAY code are decisions of the server, the others are the
// peer's or the network's.
const (
	ReasonNone             Reason = iota
	ReasonPeerClosed              // FIN
	ReasonPeerReset               // RST
	ReasonIOError                 // any other socket error
	ReasonBye                     // the client said BYE
	ReasonHeartbeatTimeout        // nothing complete was read within the timeout
	ReasonHelloTimeout            // no complete HELLO within its deadline
	ReasonPartialTimeout          // a frame was begun and did not progress
	ReasonWriteStall              // the peer took no byte for too long
	ReasonSlowConsumer            // more queued for the peer than it may hold up
	ReasonBadMagic
	ReasonBadFraming // framing version
	ReasonBadFlags
	ReasonBadChecksum
	ReasonFrameTooLarge
	ReasonBadPayload   // truncated or invalid field
	ReasonUnexpected   // a frame that the state or the direction forbids
	ReasonVersion      // no common protocol version
	ReasonFull         // refused: no room
	ReasonPending      // silent for longest when too many were not in yet
	ReasonMemory       // refused or closed for want of memory
	ReasonQueueBudget  // the most queued for it when the node's budget ran out
	ReasonRateLimit    // it sends more than it may
	ReasonBusy         // not its turn yet, or the authenticator is overloaded
	ReasonAddrLimit    // its address has too much
	ReasonFlapping     // its client comes and goes too often
	ReasonUnauthorized // its token does not admit it
	ReasonTokenExpired // its token ran out, before or during the session
	ReasonKicked       // the embedder closed it
	ReasonInUse        // somebody has a session under its id
	ReasonReplaced     // a newer login of its id took its place
	ReasonSuperseded   // its client came back and took its place
	ReasonInternal     // the application failed
	ReasonDraining     // came while the server drains
	ReasonShutdown     // the server stops
	ReasonProbe        // it asked over HTTP, as a health check does, and was answered
	ReasonTLSFailed    // its TLS handshake failed
	ReasonTLSBusy      // its TLS handshake was not begun in time

	NumReasons // how many there are
)

var reasons = [NumReasons]struct {
	name string
	code codec.Code // what GOAWAY says; 0: none is sent
}{
	ReasonNone:             {"none", 0},
	ReasonPeerClosed:       {"peer_closed", 0},
	ReasonPeerReset:        {"peer_reset", 0},
	ReasonIOError:          {"io_error", 0},
	ReasonBye:              {"bye", 0},
	ReasonHeartbeatTimeout: {"heartbeat_timeout", codec.CodeHeartbeatTimeout},
	ReasonHelloTimeout:     {"hello_timeout", codec.CodeHelloTimeout},
	ReasonPartialTimeout:   {"partial_timeout", codec.CodePartialTimeout},
	ReasonWriteStall:       {"write_stall", codec.CodeSlowConsumer},
	ReasonSlowConsumer:     {"slow_consumer", codec.CodeSlowConsumer},
	ReasonBadMagic:         {"bad_magic", codec.CodeProtocolError},
	ReasonBadFraming:       {"bad_framing_version", codec.CodeProtocolError},
	ReasonBadFlags:         {"bad_flags", codec.CodeProtocolError},
	ReasonBadChecksum:      {"bad_checksum", codec.CodeBadChecksum},
	ReasonFrameTooLarge:    {"frame_too_large", codec.CodeFrameTooLarge},
	ReasonBadPayload:       {"bad_payload", codec.CodeProtocolError},
	ReasonUnexpected:       {"unexpected_frame", codec.CodeProtocolError},
	ReasonVersion:          {"protocol_version", codec.CodeVersion},
	ReasonFull:             {"full", codec.CodeFull},
	ReasonPending:          {"pending", codec.CodeFull},
	ReasonMemory:           {"memory", codec.CodeFull},
	ReasonQueueBudget:      {"queue_budget", codec.CodeSlowConsumer},
	ReasonRateLimit:        {"rate_limit", codec.CodeRateLimit},
	ReasonBusy:             {"busy", codec.CodeBusy},
	ReasonAddrLimit:        {"addr_limit", codec.CodeBusy},
	ReasonFlapping:         {"flapping", codec.CodeBusy},
	ReasonUnauthorized:     {"unauthorized", codec.CodeUnauthorized},
	ReasonTokenExpired:     {"token_expired", codec.CodeTokenExpired},
	ReasonKicked:           {"kicked", codec.CodeKicked},
	ReasonInUse:            {"in_use", codec.CodeInUse},
	ReasonReplaced:         {"replaced", codec.CodeReplaced},
	ReasonSuperseded:       {"superseded", codec.CodeSuperseded},
	ReasonInternal:         {"internal", codec.CodeInternal},
	ReasonDraining:         {"draining", codec.CodeDraining},
	ReasonShutdown:         {"shutdown", codec.CodeShutdown},
	ReasonProbe:            {"probe", 0},
	ReasonTLSFailed:        {"tls_failed", 0},
	ReasonTLSBusy:          {"tls_busy", 0},
}

// String returns the name that Stats and logs use.
func (r Reason) String() string {
	if r < NumReasons {
		return reasons[r].name
	}
	return "unknown"
}

// Code returns the code of the GOAWAY that goes with the reason, 0 when none does.
func (r Reason) Code() codec.Code {
	if r < NumReasons {
		return reasons[r].code
	}
	return 0
}

// reasonForMalformed names the fault that codec found.
func reasonForMalformed(err error) Reason {
	switch {
	case errors.Is(err, codec.ErrMagic):
		return ReasonBadMagic
	case errors.Is(err, codec.ErrVersion):
		return ReasonBadFraming
	case errors.Is(err, codec.ErrFlags):
		return ReasonBadFlags
	case errors.Is(err, codec.ErrChecksum):
		return ReasonBadChecksum
	case errors.Is(err, codec.ErrLength):
		return ReasonFrameTooLarge
	default:
		return ReasonBadPayload
	}
}
