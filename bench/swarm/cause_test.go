package swarm

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"

	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/internal/link"
	"github.com/stormwheel/stormwheel/internal/transport"
)

func TestTheCauseOfAFailedAttemptIsForPeople(t *testing.T) {
	unbelieved := &tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}
	for _, tt := range []struct {
		err  error
		says string
		want result.Failures
	}{
		{errors.Join(errStage, fmt.Errorf("%w: %w", transport.ErrHandshake, unbelieved)), "--tls-ca", result.Failures{TLS: 1}},
		{errors.Join(errStage, fmt.Errorf("%w: no common version", transport.ErrHandshake)), "no common version", result.Failures{TLS: 1}},
		{syscall.ECONNREFUSED, "refused", result.Failures{Refused: 1}},
		{nil, "closed", result.Failures{Closed: 1}},
	} {
		var f result.Failures
		e := link.Event{Kind: link.Lost, Reason: link.Closed, Err: tt.err}
		countFailure(&f, &e)
		if cause := causeOf(&e); f != tt.want || !strings.Contains(cause, tt.says) || strings.Contains(cause, "\n") {
			t.Errorf("%v: %+v, %q", tt.err, f, cause)
		}
	}
}
