import { describe, expect, it } from 'vitest';
import { CATALOGUE, design } from '../test/samples';
import { withBlock } from './design';
import { connectionRefusal, offersFrom } from './ports';

const end = (block: string, port: string) => ({ block, port });

describe('which connections a drawing takes', () => {
  it('refuses ports of different types and says both', () => {
    const said = connectionRefusal(CATALOGUE, design(), end('server', 'out'), end('database', 'in'));
    expect(said).toContain('http');
    expect(said).toContain('sql');
  });

  it('refuses a block that calls itself', () => {
    expect(connectionRefusal(CATALOGUE, design(), end('server', 'out'), end('server', 'in'))).toContain('itself');
  });

  it('refuses the same connection twice', () => {
    expect(connectionRefusal(CATALOGUE, design(), end('client', 'out'), end('server', 'in'))).toContain('already');
  });

  it('refuses more connections than a port takes and says how many it takes', () => {
    const { design: drawn, id } = withBlock(design(), CATALOGUE, 'server', { x: 300, y: 300 });
    const said = connectionRefusal(CATALOGUE, drawn, end('client', 'out'), end(id, 'in'));
    expect(said).toContain('at most 1 connection');
  });

  it('takes a connection between ports of one type', () => {
    const { design: drawn, id } = withBlock(design(), CATALOGUE, 'server', { x: 300, y: 300 });
    expect(connectionRefusal(CATALOGUE, drawn, end('server', 'out'), end(id, 'in'))).toBeNull();
  });

  it('offers what a block can be connected to, nearest first', () => {
    const one = withBlock(design(), CATALOGUE, 'server', { x: 2000, y: 0 });
    const two = withBlock(one.design, CATALOGUE, 'server', { x: 400, y: 100 });
    const offers = offersFrom(CATALOGUE, two.design, 'server');
    expect(offers.map((offer) => offer.to.block)).toEqual([two.id, one.id]);
  });
});
