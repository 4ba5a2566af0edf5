import type { SchemaTree } from 'hyparquet'
import { describe, expect, it } from 'vitest'
import { writeFeatures } from '../../src/data/features'
import { featuresOfSchema } from '../../src/data/parquetFeatures'

type Element = SchemaTree['element']
const node = (element: Element, children: SchemaTree[] = []): SchemaTree => ({
  element,
  children,
  count: 1,
  path: [element.name],
})
const value = (dtype: string): object => ({ dtype, _type: 'Value' })

describe("a parquet file's own types", () => {
  it.each<[string, Omit<Element, 'name'>]>([
    ['int8', { type: 'INT32', converted_type: 'INT_8' }],
    ['uint16', { type: 'INT32', logical_type: { type: 'INTEGER', bitWidth: 16, isSigned: false } }],
    ['int64', { type: 'INT64' }],
    ['float16', { type: 'FIXED_LEN_BYTE_ARRAY', logical_type: { type: 'FLOAT16' } }],
    ['string', { type: 'BYTE_ARRAY', converted_type: 'UTF8' }],
    ['binary', { type: 'BYTE_ARRAY' }],
    ['date32', { type: 'INT32', converted_type: 'DATE' }],
    ['timestamp[us]', { type: 'INT64', logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: false, unit: 'MICROS' } }],
    ['null', { type: 'INT32', logical_type: { type: 'NULL' } }],
  ])('are features: %s', (dtype, element) => {
    expect(writeFeatures(featuresOfSchema([node({ name: 'a', ...element })]))).toEqual({ a: value(dtype) })
  })

  it('are features of lists and objects', () => {
    const item = node({ name: 'item' }, [node({ name: 'x', type: 'FLOAT' })])
    const list = node({ name: 'a', converted_type: 'LIST' }, [
      node({ name: 'list', repetition_type: 'REPEATED' }, [item]),
    ])
    const map = node({ name: 'm', converted_type: 'MAP' }, [node({ name: 'key_value' })])
    expect(writeFeatures(featuresOfSchema([list, map]))).toEqual({
      a: { feature: { x: value('float32') }, _type: 'List' },
    })
  })
})
