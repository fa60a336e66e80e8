select p.id
from {{ ref('payments') }} as p
join {{ ref('orders') }} as o on o.id = p.order_id
where p.amount > o.amount + 0.01 and p.id < 50
