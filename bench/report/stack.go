package report

import (
	"bytes"
	"fmt"
)

// Storms is one SVG with what tells policies of reconnecting apart: the way back above the
// attempts that it took, over the same time.
func Storms(runs ...Run) ([]byte, error) {
	var both []picture
	var time axis
	for _, draw := range []func([]Run) (picture, bool){returnOverlay, attemptsOverlay} {
		if p, ok := draw(runs); ok {
			both = append(both, p)
			if p.x.max > time.max {
				time = p.x
			}
		}
	}
	var b bytes.Buffer
	height := 0
	for _, p := range both {
		p.x = time
		svg, err := p.svg(false)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&b, `<svg y="%d" height="%d"`, height, p.height())
		b.Write(bytes.TrimPrefix(svg, []byte("<svg")))
		height += p.height()
	}
	return fmt.Appendf(nil, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" aria-label="Storms compared"><style><![CDATA[%s]]></style>%s</svg>`,
		width, height, pictureCSS(), b.Bytes()), nil
}
