package pool

import (
	"context"
	"slices"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/roam"
	"github.com/reactivex/rxgo/v2"
)

// opened is what Open has made for a pool.
type opened struct {
	given    string // the first of Open's own options that was given
	rover    []rover.Option
	roaming  []roam.Option
	stream   *rover.Stream
	dial     func(id string) // attempts a server; nil: nobody can
	learning rxgo.Disposed
}

// WithRover sets options of the rover that Open makes: servers, as a rule. Its
// WithInterval has no effect, for the policy ticks, in intervals of WithRoaming;
// with WithTicks of yours it is those that tick, and not the policy. It may be
// given more than once.
func WithRover(options ...rover.Option) Option {
	options = slices.Clone(options)
	return func(p *Pool) error {
		p.opened.given, p.opened.rover = "WithRover", append(p.opened.rover, options...)
		return nil
	}
}

// WithRoaming sets options of the policy that Open makes. It may be given more
// than once.
func WithRoaming(options ...roam.Option) Option {
	options = slices.Clone(options)
	return func(p *Pool) error {
		p.opened.given, p.opened.roaming = "WithRoaming", append(p.opened.roaming, options...)
		return nil
	}
}

// Open makes a rover, a policy of package roam and a pool, wires them and starts
// them. The rover roves until ctx ends or the pool is closed; Close ends all
// three. A WithChoice of yours takes the policy's place where it decides what
// is kept. An error names the option and what is wrong with its value.
func Open(ctx context.Context, opts ...Option) (*Pool, error) {
	p, err := configured(opts)
	if err != nil {
		return nil, err
	}
	o := &p.opened
	policy, err := roam.New(append([]roam.Option{roam.WithMax(p.max)}, o.roaming...)...)
	if err != nil {
		return nil, err
	}
	if o.stream, err = rover.New(append([]rover.Option{rover.WithTicks(policy.Attempts())}, o.rover...)...); err != nil {
		return nil, err
	}
	if p.choice == nil {
		p.choice, p.kept.viewed = policy.Choose, true
	}
	o.dial = policy.Dial
	o.learning = policy.Learn(p.open, o.stream.Outcomes(), o.stream.Sets(), p.Moves())
	p.Attach(p.open, o.stream.Connections())
	if err := o.stream.Start(ctx); err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

// Stream is the rover of a pool that Open made, nil for one of New.
func (p *Pool) Stream() *rover.Stream { return p.opened.stream }

// stop ends the rover, so that nothing comes while the pool closes.
func (o *opened) stop() {
	if o.stream != nil {
		o.stream.Stop()
	}
}

// wait returns when the policy learns no more.
func (o *opened) wait() {
	if o.learning != nil {
		<-o.learning
	}
}
