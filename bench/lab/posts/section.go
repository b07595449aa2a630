package posts

import (
	"github.com/stormwheel/stormwheel/bench/lab/kit"
)

func write(p *kit.Page, k *kit.Kept) error {
	e := effortOf(k.Effort)
	p.Printf("")
	_ = e
	return nil
}
