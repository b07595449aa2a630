package server

import (
	"testing"

	"github.com/stormwheel/stormwheel/internal/transport"
)

// Every enemy, by WebSocket and by TLS: what it may not do is the same, and so is its end. And every
// stall of the node: it is charged to nobody.
func TestTheSiegeByWebSocket(t *testing.T) { theSiege(t, "websocket", wsClient) }

func TestTheSiegeByTLS(t *testing.T) { theSiege(t, "tls", anyTLS) }

func TestTheSiegeByUnixSockets(t *testing.T) { theSiege(t, "unix", nil) }

func theSiege(t *testing.T, by string, client func() transport.Stage) {
	for name, body := range map[string]func(*testing.T){
		"slowloris":             TestSlowlorisIsCutAtItsDeadline,
		"silent":                TestSilentConnectionsAreCutAtTheirDeadline,
		"half a frame":          TestHalfFrameThenSilenceIsCutAtItsDeadline,
		"long lengths":          TestLengthOf2And4GiBIsRefusedAsRead,
		"long frames":           TestFramesBeyondTheLimitAreRefusedBeforeAndAfterAuthentication,
		"empty frames":          TestZeroLengthFloodIsCutAtTheRate,
		"answers to nothing":    TestAnswersToNothingAreCutAtTheRate,
		"pings":                 TestPingFloodIsCutAtTheRate,
		"unknown types":         TestUnknownTypesEndTheConnectionUnlessIgnorable,
		"reserved bits":         TestReservedBitsEndTheConnection,
		"bad checksums":         TestBadChecksumsEndTheConnection,
		"resets":                TestResetRightAfterAcceptHurtsNobody,
		"fin":                   TestFinThenSilenceIsClosedAtOnce,
		"deaf":                  TestReceiversThatNeverReadAreClosed,
		"two of one id":         TestDuplicateLoginLoopIsHeldOff,
		"flapping":              TestFlappingClientIsHeldOffAndReturnsAfterItsDelay,
		"tokens":                TestTokensThatDoNotAdmitAreRefused,
		"a stopped process":     TestStoppedProcessEvictsNobodyWhosePingsWereWaiting,
		"a handler that sleeps": TestHandlerThatSleepsOnTheLoopEvictsNobody,
		"all of them at once":   TestAllAdversariesAtOnceLoseNoWellBehavedClient,
	} {
		t.Run(name, func(t *testing.T) {
			if by == "tls" && name == "silent" {
				t.Skip("who does not begin a handshake is told nothing")
			}
			if by != "tls" && (name == "a stopped process" || name == "a handler that sleeps") {
				skipUnlessSlow(t, "the loop stands still, whatever the transport")
			}
			over.Store(t, stages{Name: by, Client: client, Unix: by == "unix"})
			defer over.Delete(t)
			body(t)
		})
	}
}
