select o.id
from {{ ref('orders') }} as o
join {{ ref('customers') }} as c on c.id = o.customer_id
where o.amount < 10 and o.ordered_at > '2024-03-02 00:00:00'
