import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Coding, chooseCoding } from '../../src/proxy/accept-encoding.ts'

const ALL: readonly Coding[] = ['br', 'gzip', 'zstd']

for (const { name, accept, offered = ALL, coding } of [
  { name: 'a client that says nothing gets nothing', accept: [], coding: undefined },
  { name: 'an empty value accepts only identity', accept: [''], coding: undefined },
  { name: 'what is listed is accepted', accept: ['gzip'], coding: 'gzip' },
  { name: 'of equals the first that is offered is taken', accept: ['gzip, deflate, br, zstd'], coding: 'br' },
  { name: 'the order of the offer decides', accept: ['gzip, br'], offered: ['gzip', 'br'], coding: 'gzip' },
  { name: 'the heavier one wins', accept: ['br;q=0.5, gzip;q=0.8'], coding: 'gzip' },
  { name: 'a weight may have three digits', accept: ['br;q=0.998, gzip;q=0.999'], coding: 'gzip' },
  { name: 'a weight of zero refuses', accept: ['gzip;q=0'], coding: undefined },
  { name: 'a weight of zero in any form refuses', accept: ['gzip;q=0.000'], coding: undefined },
  { name: 'names have no case, and spaces may stand between', accept: ['GZIP ; Q=1 , BR ; q=0'], coding: 'gzip' },
  { name: 'several fields are one list', accept: ['zstd;q=0.1', 'gzip;q=0.2'], coding: 'gzip' },
  { name: 'empty entries are none', accept: [', ,gzip,'], coding: 'gzip' },
  { name: 'x-gzip is gzip', accept: ['x-gzip'], coding: 'gzip' },
  { name: 'what is not offered is not taken', accept: ['br'], offered: ['gzip'], coding: undefined },
  { name: 'what nobody knows is not taken', accept: ['compress, deflate, foo'], coding: undefined },
  { name: 'a star stands for all that are not named', accept: ['*'], coding: 'br' },
  { name: 'a name counts before a star', accept: ['*, br;q=0'], coding: 'gzip' },
  { name: 'a star of zero refuses the rest', accept: ['zstd, *;q=0'], coding: 'zstd' },
  { name: 'a star of zero alone refuses all', accept: ['*;q=0'], coding: undefined },
  { name: 'identity that is liked better wins', accept: ['gzip;q=0.5, identity'], coding: undefined },
  { name: 'identity that is liked as well does not', accept: ['gzip, identity'], coding: 'gzip' },
  { name: 'identity that is liked less does not', accept: ['gzip;q=0.5, identity;q=0.1'], coding: 'gzip' },
  { name: 'a star counts for identity too', accept: ['gzip;q=0.1, *;q=0.9'], offered: ['gzip'], coding: undefined },
  { name: 'without identity the lightest one is taken', accept: ['gzip;q=0.001, identity;q=0'], coding: 'gzip' },
  { name: 'nothing is made up for a client that refuses all', accept: ['identity;q=0'], coding: undefined },
  { name: 'a weight that is none refuses', accept: ['gzip;q=high, br;q=1.5, zstd;q=-1'], coding: undefined },
  { name: 'other parameters are passed over', accept: ['gzip;x=0;q=0.4'], coding: 'gzip' },
] satisfies { name: string; accept: string[]; offered?: Coding[]; coding: Coding | undefined }[]) {
  test(name, () => assert.equal(chooseCoding(accept, offered), coding))
}
