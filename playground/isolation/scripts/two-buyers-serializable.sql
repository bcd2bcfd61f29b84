-- Two buyers, stock 1: both read, both sell, and SERIALIZABLE ends one of them
create table product (id int primary key, stock int);
insert into product values (1, 1);

T1: begin isolation level serializable;
T2: begin isolation level serializable;
T1: select stock from product where id = 1;
T2: select stock from product where id = 1;
T1: update product set stock = 0 where id = 1;
T2: update product set stock = 0 where id = 1;
T1: commit;
T2: commit;
