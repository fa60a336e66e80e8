select * from {{ source('raw', 'prices') }}
