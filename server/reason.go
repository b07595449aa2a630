package server

import "github.com/stormwheel/stormwheel/internal/reactor"

// Reason says why a connection ended. Every connection ends with exactly one, counted
// in Stats.Closes under the reason's name, which its method String returns. Its method Code
// returns the code of the GOAWAY that goes with it, 0 when none does.
type Reason = reactor.Reason

// The reasons. Those with a GOAWAY code are decisions of the server, the others are the
// peer's or the network's.
const (
	ReasonNone             = reactor.ReasonNone
	ReasonPeerClosed       = reactor.ReasonPeerClosed       // FIN
	ReasonPeerReset        = reactor.ReasonPeerReset        // RST
	ReasonIOError          = reactor.ReasonIOError          // any other socket error
	ReasonBye              = reactor.ReasonBye              // the client said BYE
	ReasonHeartbeatTimeout = reactor.ReasonHeartbeatTimeout // nothing complete was read within the timeout
	ReasonHelloTimeout     = reactor.ReasonHelloTimeout     // no complete HELLO within its deadline
	ReasonPartialTimeout   = reactor.ReasonPartialTimeout   // a frame was begun and did not progress
	ReasonWriteStall       = reactor.ReasonWriteStall       // the peer took no byte for too long
	ReasonSlowConsumer     = reactor.ReasonSlowConsumer     // more queued for the peer than it may hold up
	ReasonBadMagic         = reactor.ReasonBadMagic
	ReasonBadFraming       = reactor.ReasonBadFraming // framing version
	ReasonBadFlags         = reactor.ReasonBadFlags
	ReasonBadChecksum      = reactor.ReasonBadChecksum
	ReasonFrameTooLarge    = reactor.ReasonFrameTooLarge
	ReasonBadPayload       = reactor.ReasonBadPayload   // truncated or invalid field
	ReasonUnexpected       = reactor.ReasonUnexpected   // a frame that the state or the direction forbids
	ReasonVersion          = reactor.ReasonVersion      // no common protocol version
	ReasonFull             = reactor.ReasonFull         // refused: no room
	ReasonPending          = reactor.ReasonPending      // silent for longest when too many were not in yet
	ReasonMemory           = reactor.ReasonMemory       // refused or closed for want of memory
	ReasonQueueBudget      = reactor.ReasonQueueBudget  // the most queued for it when the node's budget ran out
	ReasonRateLimit        = reactor.ReasonRateLimit    // it sends more than it may
	ReasonBusy             = reactor.ReasonBusy         // not its turn yet, or the authenticator is overloaded
	ReasonAddrLimit        = reactor.ReasonAddrLimit    // its address has too much
	ReasonFlapping         = reactor.ReasonFlapping     // its client comes and goes too often
	ReasonUnauthorized     = reactor.ReasonUnauthorized // its token does not admit it
	ReasonTokenExpired     = reactor.ReasonTokenExpired // its token ran out, before or during the session
	ReasonKicked           = reactor.ReasonKicked       // the embedder closed it
	ReasonInUse            = reactor.ReasonInUse        // somebody has a session under its id
	ReasonSuperseded       = reactor.ReasonSuperseded   // its client came back and took its place
	ReasonInternal         = reactor.ReasonInternal     // a handler panicked
	ReasonDraining         = reactor.ReasonDraining     // came while the server drains
	ReasonShutdown         = reactor.ReasonShutdown     // the server stops
)
