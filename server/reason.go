package server

import (
	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/reactor"
)

// Reason says why a connection ended. Every connection ends with exactly one, counted
// in Stats.Closes under the reason's name.
type Reason uint8

// String returns the name that Stats and logs use.
func (r Reason) String() string { return reactor.Reason(r).String() }

// Code returns the code of the GOAWAY that goes with the reason, 0 when none does.
func (r Reason) Code() codec.Code { return reactor.Reason(r).Code() }

// The reasons. Those with a GOAWAY code are decisions of the server, the others are the
// peer's or the network's.
const (
	ReasonNone             = Reason(reactor.ReasonNone)
	ReasonPeerClosed       = Reason(reactor.ReasonPeerClosed)       // FIN
	ReasonPeerReset        = Reason(reactor.ReasonPeerReset)        // RST
	ReasonIOError          = Reason(reactor.ReasonIOError)          // any other socket error
	ReasonBye              = Reason(reactor.ReasonBye)              // the client said BYE
	ReasonHeartbeatTimeout = Reason(reactor.ReasonHeartbeatTimeout) // nothing complete was read within the timeout
	ReasonHelloTimeout     = Reason(reactor.ReasonHelloTimeout)     // no complete HELLO within its deadline
	ReasonPartialTimeout   = Reason(reactor.ReasonPartialTimeout)   // a frame was begun and did not progress
	ReasonWriteStall       = Reason(reactor.ReasonWriteStall)       // the peer took no byte for too long
	ReasonSlowConsumer     = Reason(reactor.ReasonSlowConsumer)     // more queued for the peer than it may hold up
	ReasonBadMagic         = Reason(reactor.ReasonBadMagic)
	ReasonBadFraming       = Reason(reactor.ReasonBadFraming) // framing version
	ReasonBadFlags         = Reason(reactor.ReasonBadFlags)
	ReasonBadChecksum      = Reason(reactor.ReasonBadChecksum)
	ReasonFrameTooLarge    = Reason(reactor.ReasonFrameTooLarge)
	ReasonBadPayload       = Reason(reactor.ReasonBadPayload)   // truncated or invalid field
	ReasonUnexpected       = Reason(reactor.ReasonUnexpected)   // a frame that the state or the direction forbids
	ReasonVersion          = Reason(reactor.ReasonVersion)      // no common protocol version
	ReasonFull             = Reason(reactor.ReasonFull)         // refused: no room
	ReasonPending          = Reason(reactor.ReasonPending)      // silent for longest when too many were not in yet
	ReasonMemory           = Reason(reactor.ReasonMemory)       // refused or closed for want of memory
	ReasonQueueBudget      = Reason(reactor.ReasonQueueBudget)  // the most queued for it when the node's budget ran out
	ReasonRateLimit        = Reason(reactor.ReasonRateLimit)    // it sends more than it may
	ReasonBusy             = Reason(reactor.ReasonBusy)         // not its turn yet, or the authenticator is overloaded
	ReasonAddrLimit        = Reason(reactor.ReasonAddrLimit)    // its address has too much
	ReasonFlapping         = Reason(reactor.ReasonFlapping)     // its client comes and goes too often
	ReasonUnauthorized     = Reason(reactor.ReasonUnauthorized) // its token does not admit it
	ReasonTokenExpired     = Reason(reactor.ReasonTokenExpired) // its token ran out, before or during the session
	ReasonKicked           = Reason(reactor.ReasonKicked)       // the embedder closed it
	ReasonInUse            = Reason(reactor.ReasonInUse)        // its id has as many sessions as it may
	ReasonReplaced         = Reason(reactor.ReasonReplaced)     // a newer login of its id took its place
	ReasonSuperseded       = Reason(reactor.ReasonSuperseded)   // its client came back and took its place
	ReasonInternal         = Reason(reactor.ReasonInternal)     // a handler panicked
	ReasonDraining         = Reason(reactor.ReasonDraining)     // came while the server drains
	ReasonShutdown         = Reason(reactor.ReasonShutdown)     // the server stops
	ReasonProbe            = Reason(reactor.ReasonProbe)        // it asked over HTTP, as a health check does, and was answered
	ReasonTLSFailed        = Reason(reactor.ReasonTLSFailed)    // its TLS handshake failed
	ReasonTLSBusy          = Reason(reactor.ReasonTLSBusy)      // its TLS handshake was not begun in time
)
